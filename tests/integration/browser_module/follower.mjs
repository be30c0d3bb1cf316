// Somebody who follows a topic with Node's own WebSocket: says in lines of JSON what it is told, and sends each line
// that it is given.
//
//     node follower.mjs MODULE URL TOPIC COOKIE

import { createInterface } from "node:readline";

const [module, url, topic, cookie] = process.argv.slice(2);
const Plain = globalThis.WebSocket;

globalThis.WebSocket = class extends Plain {
  constructor(url, protocols) {
    super(url, { protocols, headers: { cookie } });
  }
};

const say = (kind, what) => console.log(JSON.stringify({ kind, what }));
const { connect } = await import(module);
const client = connect({ url, onState: ({ name }) => say("state", name) });
const options = {};
for (const name of ["Event", "Change", "Signal", "Members", "Reset"]) options[`on${name}`] = (what) => say(name.toLowerCase(), what);
const followed = client.join(topic, { ...options, since: 0, epoch: "", onError: ({ code }) => say("error", code) });

for await (const line of createInterface({ input: process.stdin })) {
  const { send, signal } = JSON.parse(line);
  if (signal) followed.signal(signal);
  else followed.send(send).then((ack) => say("ack", ack), ({ code }) => say("refused", code));
}
client.close();
