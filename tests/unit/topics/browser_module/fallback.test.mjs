// Where no socket comes through, streams and POST do the same, until one does.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ALICE, BOB, Dialled, EVERYTHING, LUNCH, Told, browser, event, joined, joinedWith, load, pass, redialled, settle, stopTime } from "./page.mjs";

const WELCOME = { type: "welcome", you: ALICE, ping_seconds: 20, limits: { data_bytes: 61_440, signal_bytes: 4_096 } };

/** The server's side of what the page fetches. */
class Web {
  streams = [];
  posts = [];
  answers = []; // of POST, and of a GET that gets no stream; the last one again and again
  refusing = false;

  fetch = async (url, { method, headers, body, signal }) => {
    if (method === "POST") this.posts.push({ url, headers, ...JSON.parse(body) });
    if (method === "POST" || this.refusing) return this.#answer();
    const stream = { url, headers, signal, text: "" };
    const source = new ReadableStream({ start: (controller) => (stream.controller = controller) });
    signal.addEventListener("abort", () => stream.controller.error(new Error("aborted")));
    this.streams.push(stream);
    return new Response(source, { headers: { "Content-Type": "text/event-stream" } });
  };

  #answer() {
    const [status, body, headers = {}] = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
    if (status === 0) throw new TypeError("no network");
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
  }

  get last() {
    return this.streams.at(-1);
  }

  async says(...frames) {
    const text = frames.map((frame) => `id: e/1\ndata: ${JSON.stringify(frame)}\n\n`).join("");
    const bytes = new TextEncoder().encode(text);
    const middle = bytes.length >> 1; // where no line ends, perhaps within a character
    for (const part of [bytes.slice(0, middle), bytes.slice(middle)]) this.last.controller.enqueue(part);
    await settle();
  }

  async ends() {
    this.last.controller.close();
    await settle();
  }
}

/** Alice's page behind a proxy that lets no socket through. */
async function blocked(t, { frames = [WELCOME, joined(event(4))], refusing = false, answers = [[201, { id: "a", seq: 5, at: "…" }]] } = {}) {
  browser(t);
  stopTime(t);
  const web = Object.assign(new Web(), { refusing, answers });
  const { connect } = await load();
  const states = [];
  const onState = ({ name, http }) => states.push(http ? `${name} by http` : name);
  const client = connect({ WebSocket: Dialled, fetch: web.fetch, onState });
  const told = new Told(...EVERYTHING);
  const votes = client.join(LUNCH, { since: 3, epoch: "e", ...told.options });
  for (const wait of [500, 1_000, 2_000, 4_000]) {
    Dialled.last.dies();
    await pass(wait);
  }
  if (frames.length) await web.says(...frames);
  return { web, client, votes, told, states };
}

test("after four dials in vain it follows by a stream, from what it has", async (t) => {
  const { web, told, states, votes } = await blocked(t);
  assert.equal(web.last.url, "https://site.example/topics/votes/lunch?since=3&epoch=e");
  assert.equal(web.last.headers.Accept, "text/event-stream");
  await web.says(event(5, { data: "披萨" }));
  assert.deepEqual([told.seqs, told.of("onEvent")[1][0].data, votes.joined], [[4, 5], "披萨", true]);
  assert.equal(states.at(-1), "online by http");
  Dialled.last.dies();
  assert.equal(states.at(-1), "online by http", "what sockets do is of no account meanwhile");
});

test("while the server is just away there is one stream that tries", async (t) => {
  const { web, states } = await blocked(t, { refusing: true, answers: [[503, "<h1>Away</h1>"]], frames: [] });
  assert.ok(!states.includes("online by http"));
  for (let dial = 0; dial < 3; dial++) {
    Dialled.last.dies();
    await pass(30_000);
  }
  web.refusing = false;
  await pass(30_000);
  assert.equal(web.streams.length, 1);
});

test("what is sent goes by POST, as the person who wrote it", async (t) => {
  const { web, votes } = await blocked(t);
  const ack = await votes.send({ option: "pizza" }, { id: "a" });
  assert.deepEqual(ack, { id: "a", seq: 5, at: "…" });
  assert.deepEqual(web.posts, [
    {
      url: "https://site.example/topics/votes/lunch",
      headers: { "Content-Type": "application/json", "Topics-Person": ALICE.key },
      id: "a",
      data: { option: "pizza" },
    },
  ]);
});

test("what a POST refuses rejects with its words", async (t) => {
  const { votes } = await blocked(t, { answers: [[422, { code: "refused", detail: "There is pizza." }]] });
  await assert.rejects(votes.send("tea"), { code: "refused", detail: "There is pizza.", data: "tea", name: "Refused" });
});

for (const answer of [[0], [502, "<h1>Bad gateway</h1>"], [429, { code: "rate_limited", detail: "…" }, { "Retry-After": "2" }]]) {
  test(`what a POST does not take now goes again with its id: ${answer[0]}`, async (t) => {
    const { web, votes } = await blocked(t, { answers: [answer, [200, { id: "a", seq: 5, at: "…" }]] });
    const promise = votes.send("pizza", { id: "a" });
    await settle();
    assert.equal(web.posts.length, 1);
    await pass(2_000);
    assert.equal((await promise).seq, 5);
    assert.deepEqual(web.posts.map(({ id }) => id), ["a", "a"]);
  });
}

test("what alice has written is not posted as bob", async (t) => {
  const { web, votes } = await blocked(t, { answers: [[409, { code: "somebody_else", detail: "…" }]] });
  const rejected = assert.rejects(votes.send("alice's"), { code: "somebody_else" });
  await settle();
  assert.equal(web.streams.length, 2, "it asks who is here now");
  await web.says({ ...WELCOME, you: BOB }, joined());
  await rejected;
  await pass(30_000);
  assert.equal(web.posts.length, 1);
});

test("a socket that comes through takes over, and nothing is missed or doubled", async (t) => {
  const { web, told, states, votes } = await blocked(t);
  const { signal } = web.last;
  Dialled.last.dies();
  await redialled();
  Dialled.last.welcomes();
  assert.equal(signal.aborted, true);
  assert.deepEqual(Dialled.last.heard, [{ type: "join", topic: LUNCH, since: 4, epoch: "e" }]);
  Dialled.last.says(joined(event(5)));
  assert.deepEqual([told.seqs, states.at(-1), votes.joined], [[4, 5], "online", true]);
  await pass(30_000);
  assert.equal(web.streams.length, 1);
});

test("a stream that ends goes on, when the server says so", async (t) => {
  const { web, told, states } = await blocked(t);
  await web.says({ type: "goodbye", reason: "restart", after_ms: 3_000 });
  await web.ends();
  assert.notEqual(states.at(-1), "online by http");
  await pass(2_900);
  assert.equal(web.streams.length, 1);
  await pass(700);
  assert.ok(web.last.url.endsWith("?since=4&epoch=e"));
  await web.says(WELCOME, joined(event(5)));
  assert.deepEqual([told.seqs, states.at(-1)], [[4, 5], "online by http"]);
});

test("a silent stream is left for another", async (t) => {
  const { web } = await blocked(t);
  await pass(44_900);
  assert.equal(web.streams.length, 1);
  await pass(700);
  assert.equal(web.streams.length, 2);
});

test("a gap in a stream makes it ask for what is missing", async (t) => {
  const { web, told } = await blocked(t);
  await web.says(event(6));
  assert.equal(web.streams.length, 2);
  await web.says(WELCOME, joined(event(5), event(6)));
  assert.deepEqual(told.seqs, [4, 5, 6]);
});

test("a topic that is none for her is refused here, too", async (t) => {
  const { web, told } = await blocked(t, { refusing: true, answers: [[404, { code: "no_such_topic", detail: "None." }]], frames: [] });
  assert.deepEqual(told.of("onError").map(([error]) => [error.code, error.detail]), [["no_such_topic", "None."]]);
  web.refusing = false;
  await pass(60_000);
  assert.equal(web.streams.length, 0);
});

test("where guests may not come in it says that one has to log in", async (t) => {
  const { client } = await blocked(t, { refusing: true, answers: [[401, { code: "login_required", detail: "Log in first." }]], frames: [] });
  assert.deepEqual([client.state.name, client.state.code], ["closed", 4401]);
});

test("four topics at most are followed at once: the page needs its other connections", async (t) => {
  const { web, client } = await blocked(t);
  const others = ["a", "b", "c", "d"].map((name) => client.join(`votes/${name}`));
  await settle();
  assert.equal(web.streams.length, 4);
  others[0].leave();
  await settle();
  assert.equal(web.streams[1].signal.aborted, true);
});

test("a socket that is opened and says nothing is as good as none", async (t) => {
  browser(t);
  stopTime(t);
  const web = new Web();
  const { connect } = await load();
  connect({ WebSocket: Dialled, fetch: web.fetch }).join(LUNCH);
  Dialled.last.opens();
  await pass(15_600);
  assert.equal(web.last.url, "https://site.example/topics/votes/lunch");
});

test("a name goes into an address whatever it is made of", async (t) => {
  const { web, client } = await blocked(t);
  client.join("votes/披萨?#%");
  await settle();
  assert.equal(web.last.url, "https://site.example/topics/votes/%E6%8A%AB%E8%90%A8%3F%23%25");
});

test("who joins in again without a position begins with the latest", async (t) => {
  const { web, told } = await blocked(t, { frames: [WELCOME, joinedWith({ recovered: false, epoch: "f" }, event(9))] });
  assert.deepEqual([told.of("onReset").length, told.seqs], [1, [9]]);
  assert.equal(web.streams.length, 1);
});
