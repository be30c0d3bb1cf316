// Where no socket comes through, streams and POST do the same, until one does.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ALICE, BOB, Dialled, EVERYTHING, LUNCH, Told, browser, event, globals, joined, joinedWith, load, pass, redialled, settle, stopTime } from "./page.mjs";

const WELCOME = { type: "welcome", you: ALICE, ping_seconds: 20, limits: { data_bytes: 61_440, signal_bytes: 4_096 } };

/** A stream as the browser opens it. */
class Source {
  static CLOSED = 2;
  readyState = 0;

  constructor(url) {
    this.url = url;
    Source.all.push(this);
  }

  static all = [];

  static get last() {
    return Source.all.at(-1);
  }

  close() {
    this.readyState = 2;
  }

  says(...frames) {
    this.readyState = 1;
    this.onopen?.({});
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  async ends(readyState = 0) {
    this.readyState = readyState;
    this.onerror?.({});
    await settle();
  }
}

/** What comes of everything that the page fetches; the last answer again and again. */
function answering(t, ...answers) {
  const asked = [];
  globals(t, {
    fetch: async (url, { body, headers } = {}) => {
      asked.push({ url, headers, ...(body && JSON.parse(body)) });
      const [status, said] = answers.length > 1 ? answers.shift() : answers[0];
      if (status === 0) throw new TypeError("no network");
      return new Response(typeof said === "string" ? said : JSON.stringify(said), { status });
    },
  });
  return asked;
}

/** Alice's page behind a proxy that lets no socket through. */
async function blocked(t, ...frames) {
  browser(t);
  stopTime(t);
  Source.all = [];
  globals(t, { EventSource: Source });
  const { connect } = await load();
  const states = [];
  const client = connect({ onState: ({ name, http }) => states.push(http ? `${name} by http` : name) });
  const told = new Told(...EVERYTHING);
  const votes = client.join(LUNCH, { since: 3, epoch: "e", ...told.options });
  for (const wait of [500, 1_000, 2_000, 4_000]) {
    Dialled.last.dies();
    await pass(wait);
  }
  if (frames.length) Source.last.says(...frames);
  await settle();
  return { client, votes, told, states };
}

const FOUND = [WELCOME, joined(event(4))];
const STORED = [201, { id: "a", seq: 5, at: "…" }];

test("after four dials in vain it follows by a stream, from what it has", async (t) => {
  const { told, states, votes } = await blocked(t, ...FOUND);
  assert.equal(Source.last.url, "https://site.example/topics/votes/lunch?since=3&epoch=e");
  Source.last.says(event(5));
  assert.deepEqual([told.seqs, votes.joined, states.at(-1)], [[4, 5], true, "online by http"]);
  Dialled.last.dies();
  await pass(100);
  assert.equal(states.at(-1), "online by http", "what sockets do is of no account meanwhile");
});

test("while the server is just away there is one stream that tries", async (t) => {
  const { states } = await blocked(t);
  answering(t, [503, "<h1>Away</h1>"]);
  for (let turn = 0; turn < 3; turn++) {
    await Source.last.ends(2);
    await pass(30_000);
  }
  assert.ok(!states.includes("online by http"));
  while (Source.last.readyState === 2) await pass(1_000);
  assert.deepEqual(Source.all.filter((source) => source.readyState !== 2), [Source.last]);
  Source.last.says(...FOUND);
  assert.equal(states.at(-1), "online by http");
});

test("what is sent goes by POST, as the person who wrote it", async (t) => {
  const { votes } = await blocked(t, ...FOUND);
  const asked = answering(t, STORED);
  const ack = await votes.send({ option: "pizza" }, { id: "a" });
  assert.deepEqual(ack, { id: "a", seq: 5, at: "…" });
  const headers = { "Content-Type": "application/json", "Topics-Person": ALICE.key };
  assert.deepEqual(asked, [{ url: "https://site.example/topics/votes/lunch", headers, id: "a", data: { option: "pizza" } }]);
});

test("what a POST refuses rejects with its words", async (t) => {
  const { votes } = await blocked(t, ...FOUND);
  answering(t, [422, { code: "refused", detail: "There is pizza." }]);
  await assert.rejects(votes.send("tea"), { code: "refused", detail: "There is pizza.", data: "tea", name: "Refused" });
});

for (const answer of [[0], [502, "<h1>Bad gateway</h1>"], [429, { code: "rate_limited", detail: "…", retry_after_ms: 1_500 }]]) {
  test(`what a POST does not take now goes again with its id: ${answer[0]}`, async (t) => {
    const { votes } = await blocked(t, ...FOUND);
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
  const { votes } = await blocked(t, ...FOUND);
  const asked = answering(t, [409, { code: "somebody_else", detail: "…" }]);
  const rejected = assert.rejects(votes.send("alice's"), { code: "somebody_else" });
  await settle();
  assert.equal(Source.all.length, 2, "it asks who is here now");
  Source.last.says({ ...WELCOME, you: BOB }, joined());
  await rejected;
  await pass(30_000);
  assert.equal(asked.length, 1);
});

test("a socket that comes through takes over, and nothing is missed or doubled", async (t) => {
  const { told, states, votes } = await blocked(t, ...FOUND);
  Dialled.last.dies();
  await redialled();
  Dialled.last.welcomes();
  assert.equal(Source.last.readyState, 2);
  assert.deepEqual(Dialled.last.heard, [{ type: "join", topic: LUNCH, since: 4, epoch: "e" }]);
  Dialled.last.says(joined(event(5)));
  assert.deepEqual([told.seqs, states.slice(-2), votes.joined], [[4, 5], ["online by http", "online"], true]);
  await pass(30_000);
  assert.equal(Source.all.length, 1);
});

test("a stream that ends goes on, when the server says so", async (t) => {
  const { told, states } = await blocked(t, ...FOUND);
  Source.last.says({ type: "goodbye", reason: "restart", after_ms: 3_000 });
  await Source.last.ends();
  assert.notEqual(states.at(-1), "online by http");
  await pass(2_900);
  assert.equal(Source.all.length, 1);
  await pass(700);
  assert.ok(Source.last.url.endsWith("?since=4&epoch=e"));
  Source.last.says(WELCOME, joined(event(5)));
  assert.deepEqual([told.seqs, states.at(-1)], [[4, 5], "online by http"]);
});

test("a silent stream is left for another", async (t) => {
  await blocked(t, ...FOUND);
  await pass(39_900);
  assert.equal(Source.all.length, 1);
  await pass(700);
  assert.equal(Source.all.length, 2);
});

test("a gap in a stream makes it ask for what is missing", async (t) => {
  const { told } = await blocked(t, ...FOUND);
  Source.last.says(event(6));
  assert.equal(Source.all.length, 2);
  Source.last.says(WELCOME, joined(event(5), event(6)));
  assert.deepEqual(told.seqs, [4, 5, 6]);
});

test("a topic that is none for her is refused here, too", async (t) => {
  const { told } = await blocked(t);
  answering(t, [404, { code: "no_such_topic", detail: "None." }]);
  await Source.last.ends(2);
  assert.deepEqual(told.of("onError").map(([error]) => [error.code, error.detail]), [["no_such_topic", "None."]]);
  await pass(60_000);
  assert.equal(Source.all.length, 1);
});

test("where guests may not come in it says that one has to log in", async (t) => {
  const { client } = await blocked(t);
  answering(t, [401, { code: "login_required", detail: "Log in first." }]);
  await Source.last.ends(2);
  assert.deepEqual([client.state.name, client.state.code], ["closed", 4401]);
});

test("four topics at most are followed at once: the page needs its other connections", async (t) => {
  const { client } = await blocked(t, ...FOUND);
  const others = ["a", "b", "c", "d"].map((name) => client.join(`votes/${name}`));
  assert.equal(Source.all.length, 4);
  others[0].leave();
  assert.equal(Source.all[1].readyState, 2);
});

test("a socket that is opened and says nothing is as good as none", async (t) => {
  browser(t);
  stopTime(t);
  globals(t, { EventSource: Source });
  const { connect } = await load();
  connect().join(LUNCH);
  Dialled.last.opens();
  await pass(15_600);
  assert.equal(Source.last.url, "https://site.example/topics/votes/lunch");
});

test("a name goes into an address whatever it is made of", async (t) => {
  const { client } = await blocked(t, ...FOUND);
  client.join("votes/披萨?#%");
  assert.equal(Source.last.url, "https://site.example/topics/votes/%E6%8A%AB%E8%90%A8%3F%23%25");
});

test("where it cannot go on it begins with the latest", async (t) => {
  const { told } = await blocked(t, WELCOME, joinedWith({ recovered: false, epoch: "f" }, event(9)));
  assert.deepEqual([told.of("onReset").length, told.seqs, Source.all.length], [1, [9], 1]);
});

test("a program without streams of events waits for a socket", async (t) => {
  const { client } = await blocked(t);
  client.close();
  globals(t, { EventSource: undefined });
  const { connect } = await load();
  const again = connect({ url: "ws://other.example/ws/" });
  again.join(LUNCH);
  for (let dial = 0; dial < 5; dial++) {
    Dialled.last.dies();
    await redialled();
  }
  Dialled.last.welcomes();
  assert.equal(again.state.name, "online");
});
