// Where no socket comes through, streams and POST do the same, until one does.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ALICE, BOB, Dialled, EVERYTHING, LUNCH, Told, browser, event, joined, joinedWith, load, pass, redialled, settle, stopTime } from "./page.mjs";
import { Source, WELCOME, answering, cutOff } from "./fallback.mjs";

/** Alice's page behind a proxy that lets no socket through. */
async function blocked(t, frames = []) {
  browser(t);
  stopTime(t);
  answering(t, [0]);
  const { connect } = await load();
  const states = [];
  const client = connect({ onState: ({ name, http }) => states.push(http ? `${name} by http` : name) });
  const told = new Told(...EVERYTHING);
  const votes = client.join(LUNCH, { since: 3, epoch: "e", ...told.options });
  await settle();
  await cutOff();
  if (frames.length) await Source.last.says(...frames);
  return { client, votes, told, states };
}

const FOUND = [WELCOME, joined(event(4))];
const STORED = [201, { id: "a", seq: 5, at: "…" }];

test("after four dials in vain it follows by a stream, from what it has", async (t) => {
  const { told, states, votes } = await blocked(t, FOUND);
  assert.equal(Source.last.url, "https://site.example/topics/votes/lunch?since=3&epoch=e");
  await Source.last.says(event(5));
  assert.deepEqual([told.seqs, votes.joined, states.at(-1)], [[4, 5], true, "online by http"]);
  Dialled.last.dies();
  await pass(100);
  assert.equal(states.at(-1), "online by http", "what sockets do is of no account meanwhile");
});

test("while the server is just away there is one stream that tries", async (t) => {
  const { states } = await blocked(t);
  for (let turn = 0; turn < 3; turn++) {
    await Source.last.refuses(503, "<h1>Away</h1>");
    await pass(30_000);
  }
  assert.ok(!states.includes("online by http"));
  while (!Source.last.isOpen) await pass(1_000);
  assert.deepEqual(Source.all.filter((source) => source.isOpen), [Source.last]);
  await Source.last.says(...FOUND);
  assert.equal(states.at(-1), "online by http");
});

test("what is sent goes by POST, as the person who wrote it", async (t) => {
  const { votes } = await blocked(t, FOUND);
  const asked = answering(t, STORED);
  const ack = await votes.send({ option: "pizza" }, { id: "a" });
  assert.deepEqual(ack, { id: "a", seq: 5, at: "…" });
  const headers = { "Content-Type": "application/json", "Topics-Person": ALICE.key };
  assert.deepEqual(asked, [{ url: "https://site.example/topics/votes/lunch", headers, id: "a", data: { option: "pizza" } }]);
});

test("what a POST refuses rejects with its words", async (t) => {
  const { votes } = await blocked(t, FOUND);
  answering(t, [422, { code: "refused", detail: "There is pizza." }]);
  await assert.rejects(votes.send("tea"), { code: "refused", detail: "There is pizza.", data: "tea", name: "Refused" });
});

for (const answer of [[0], [502, "<h1>Bad gateway</h1>"], [429, { code: "rate_limited", detail: "…", retry_after_ms: 1_500 }]]) {
  test(`what a POST does not take now goes again with its id: ${answer[0]}`, async (t) => {
    const { votes } = await blocked(t, FOUND);
    const asked = answering(t, answer, STORED);
    const promise = votes.send("pizza", { id: "a" });
    await settle();
    assert.equal(asked.length, 1);
    await pass(2_000);
    assert.equal((await promise).seq, 5);
    assert.deepEqual(asked.map(({ id }) => id), ["a", "a"]);
  });
}

test("what alice has written is not posted as bob", async (t) => {
  const { votes } = await blocked(t, FOUND);
  const asked = answering(t, [409, { code: "somebody_else", detail: "…" }]);
  const rejected = assert.rejects(votes.send("alice's"), { code: "somebody_else" });
  await settle();
  assert.equal(Source.all.length, 2, "it asks who is here now");
  await Source.last.says({ ...WELCOME, you: BOB }, joined());
  await rejected;
  await pass(30_000);
  assert.equal(asked.length, 1);
});

test("a socket that comes through takes over, and nothing is missed or doubled", async (t) => {
  const { told, states, votes } = await blocked(t, FOUND);
  Dialled.last.dies();
  await redialled();
  Dialled.last.welcomes();
  assert.equal(Source.last.isOpen, false);
  assert.deepEqual(Dialled.last.heard, [{ type: "join", topic: LUNCH, since: 4, epoch: "e" }]);
  Dialled.last.says(joined(event(5)));
  assert.deepEqual([told.seqs, states.slice(-2), votes.joined], [[4, 5], ["online by http", "online"], true]);
  await pass(30_000);
  assert.equal(Source.all.length, 1);
});

test("a stream that ends goes on, when the server says so", async (t) => {
  const { told, states } = await blocked(t, FOUND);
  await Source.last.says({ type: "goodbye", reason: "restart", after_ms: 3_000 });
  await Source.last.ends();
  assert.notEqual(states.at(-1), "online by http");
  await pass(2_900);
  assert.equal(Source.all.length, 1);
  await pass(700);
  assert.ok(Source.last.url.endsWith("?since=4&epoch=e"));
  await Source.last.says(WELCOME, joined(event(5)));
  assert.deepEqual([told.seqs, states.at(-1)], [[4, 5], "online by http"]);
});

test("a silent stream is left for another", async (t) => {
  await blocked(t, FOUND);
  await pass(39_900);
  assert.equal(Source.all.length, 1);
  await pass(700);
  assert.equal(Source.all.length, 2);
});

test("a gap in a stream makes it ask for what is missing", async (t) => {
  const { told } = await blocked(t, FOUND);
  await Source.last.says(event(6));
  assert.equal(Source.all.length, 2);
  await Source.last.says(WELCOME, joined(event(5), event(6)));
  assert.deepEqual(told.seqs, [4, 5, 6]);
});

test("a topic that is none for her is refused here, too", async (t) => {
  const { told } = await blocked(t);
  await Source.last.refuses(404, { code: "no_such_topic", detail: "None." });
  assert.deepEqual(told.of("onError").map(([error]) => [error.code, error.detail]), [["no_such_topic", "None."]]);
  await pass(60_000);
  assert.equal(Source.all.length, 1);
});

test("where guests may not come in it says that one has to log in", async (t) => {
  const { client } = await blocked(t);
  await Source.last.refuses(401, { code: "login_required", detail: "Log in first." });
  assert.deepEqual([client.state.name, client.state.code], ["closed", 4401]);
});

test("four topics at most are followed at once: the page needs its other connections", async (t) => {
  const { client } = await blocked(t, FOUND);
  const others = ["a", "b", "c", "d"].map((name) => client.join(`votes/${name}`));
  assert.equal(Source.all.length, 4);
  others[0].leave();
  assert.equal(Source.all[1].isOpen, false);
});

test("a socket that is opened and says nothing is as good as none", async (t) => {
  browser(t);
  stopTime(t);
  answering(t, [0]);
  const { connect } = await load();
  connect().join(LUNCH);
  Dialled.last.opens();
  await pass(15_600);
  assert.equal(Source.last.url, "https://site.example/topics/votes/lunch");
});

test("a name goes into an address whatever it is made of", async (t) => {
  const { client } = await blocked(t, FOUND);
  client.join("votes/披萨?#%");
  assert.equal(Source.last.url, "https://site.example/topics/votes/%E6%8A%AB%E8%90%A8%3F%23%25");
});

test("where it cannot go on it begins with the latest", async (t) => {
  const { told } = await blocked(t, [WELCOME, joinedWith({ recovered: false, epoch: "f" }, event(9))]);
  assert.deepEqual([told.of("onReset").length, told.seqs, Source.all.length], [1, [9], 1]);
});

test("a program without cookies waits for a socket: a stream would be somebody else's", async (t) => {
  stopTime(t);
  answering(t, [0]);
  const { connect } = await load();
  const client = connect({ url: "ws://other.example/ws/" });
  client.join(LUNCH);
  await cutOff();
  await redialled();
  assert.equal(Source.all.length, 0);
  Dialled.last.welcomes();
  assert.equal(client.state.name, "online");
});
