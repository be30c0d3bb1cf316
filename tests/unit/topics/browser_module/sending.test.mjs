// What is sent is kept until it is acknowledged, goes in order, once, and as nobody else.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ALICE, BOB, Dialled, LUNCH, browser, event, following, joined, joinedWith, load, pass, redialled, settle, stopTime } from "./page.mjs";

const AT = "2026-01-02T03:04:05.678Z";

const sent = () => Dialled.last.all("send");
const datas = () => sent().map((frame) => frame.data);
const ack = (frame, seq) => ({ type: "ack", topic: frame.topic, id: frame.id, seq, at: AT });
const error = (frame, code, more = {}) => ({ type: "error", topic: frame.topic, id: frame.id, code, detail: "No.", ...more });

async function back(you = ALICE, ...frames) {
  Dialled.last.dies();
  await redialled();
  Dialled.last.welcomes(you);
  Dialled.last.says(...frames);
  await settle();
}

/** A page as it is after a reload: a module that knows nothing, and the tab's storage. */
async function reloaded(options = {}, you = ALICE) {
  const { connect } = await load();
  const client = connect({ url: "ws://site.example/ws/", ...options });
  const votes = client.join(LUNCH, { since: 0, epoch: "", ...options });
  if (you) Dialled.last.welcomes(you);
  if (you) Dialled.last.says(joined());
  await settle();
  return votes;
}

test("a send resolves with its ack", async (t) => {
  const { votes } = await following(t);
  const promise = votes.send({ option: "pizza" });
  await settle();
  const [frame] = sent();
  assert.deepEqual([frame.topic, frame.data], [LUNCH, { option: "pizza" }]);
  assert.match(frame.id, /^[\d-]{16,64}$/);
  Dialled.last.says(ack(frame, 7));
  assert.deepEqual(await promise, { id: frame.id, seq: 7, at: AT });
  assert.deepEqual(votes.unsent, []);
});

test("an id may be one's own", async (t) => {
  const { votes } = await following(t);
  votes.send(1, { id: "mine" });
  await settle();
  assert.equal(sent()[0].id, "mine");
});

test("in a topic one is on its way at a time, in order; another topic does not wait", async (t) => {
  const { votes, client } = await following(t);
  const dinner = client.join("votes/dinner");
  Dialled.last.says({ ...joined(), topic: "votes/dinner" });
  const all = [votes.send("first"), votes.send("second"), dinner.send("beside")];
  await settle();
  assert.deepEqual(datas(), ["first", "beside"]);
  assert.deepEqual(votes.unsent.map(({ data, sending }) => [data, sending]), [["first", true], ["second", false]]);
  Dialled.last.says(ack(sent()[0], 1));
  assert.deepEqual(datas(), ["first", "beside", "second"]);
  Dialled.last.says(ack(sent()[2], 2), ack(sent()[1], 1));
  await Promise.all(all);
});

test("what is refused rejects with the server's words and holds up nothing", async (t) => {
  const { votes } = await following(t);
  const refused = assert.rejects(votes.send("first"), (error) => {
    assert.ok(error instanceof Error);
    assert.deepEqual([error.code, error.detail, error.data, error.topic], ["refused", "No.", "first", LUNCH]);
    return true;
  });
  votes.send("second");
  await settle();
  Dialled.last.says(error(sent()[0], "refused"));
  await refused;
  assert.deepEqual(datas(), ["first", "second"]);
});

for (const code of ["rate_limited", "unavailable"]) {
  test(`what is ${code} goes again with its id, and is not overtaken`, async (t) => {
    const { votes } = await following(t);
    votes.send("first");
    votes.send("second");
    await settle();
    Dialled.last.says(error(sent()[0], code, { retry_after_ms: 3_000 }));
    await pass(2_999);
    assert.deepEqual(datas(), ["first"]);
    await pass(1);
    assert.deepEqual(datas(), ["first", "first"]);
    assert.equal(sent()[0].id, sent()[1].id);
  });
}

test("after a break the same id goes again", async (t) => {
  const { votes } = await following(t);
  const promise = votes.send("hello");
  await settle();
  const [before] = sent();
  await back(ALICE, joined());
  assert.deepEqual(sent(), [before]);
  Dialled.last.says(ack(before, 1));
  assert.equal((await promise).seq, 1);
});

test("what has arrived before the break is not sent again", async (t) => {
  const { votes } = await following(t);
  const promise = votes.send("hello");
  votes.send("and this");
  await settle();
  const [{ id }] = sent();
  await back(ALICE);
  assert.deepEqual(datas(), [], "before it is known what has arrived");
  Dialled.last.says(joined(event(1, { id, by: ALICE, data: "hello" })));
  assert.equal((await promise).seq, 1);
  assert.deepEqual(datas(), ["and this"]);
});

test("one's own event that comes before the ack is as good as it", async (t) => {
  const { votes } = await following(t, { since: 0, epoch: "" });
  const promise = votes.send("hello");
  await settle();
  const [{ id }] = sent();
  Dialled.last.says(event(1, { id, by: BOB }));
  assert.equal(votes.unsent.length, 1, "others have ids of their own");
  Dialled.last.says(event(2, { id, by: ALICE }));
  assert.equal((await promise).seq, 2);
});

test("where nothing answers for 20 s another socket is tried", async (t) => {
  const { votes } = await following(t);
  votes.send("hello");
  await settle();
  for (let second = 0; second < 20; second++) {
    Dialled.last.says({ type: "pong" });
    await pass(1_000);
  }
  await pass(500);
  assert.equal(Dialled.all.length, 2);
});

test("what is written while there is no connection waits, as it was", async (t) => {
  const { votes } = await following(t);
  Dialled.last.dies();
  const vote = { option: "pizza" };
  votes.send(vote);
  vote.option = "pasta";
  await redialled();
  Dialled.last.welcomes();
  Dialled.last.says(joined());
  await settle();
  assert.deepEqual(datas(), [{ option: "pizza" }]);
});

test("what is too long, or no JSON, is refused here: it would cost the socket", async (t) => {
  const { votes } = await following(t);
  await assert.rejects(votes.send("é".repeat(31_000)), { name: "Refused", code: "too_long" });
  await assert.rejects(votes.send(undefined), SyntaxError);
  await assert.rejects(votes.send(1n), TypeError);
  assert.deepEqual(votes.unsent, []);
});

test("what the page does not know of any more is told to the topic", async (t) => {
  browser(t);
  const { votes } = await following(t);
  votes.send("hello").catch(() => {});
  await settle();
  const told = [];
  await reloaded({ onError: (error) => told.push([error.code, error.data]) });
  Dialled.last.says(error(sent()[0], "refused"));
  assert.deepEqual(told, [["refused", "hello"]]);
});

test("unsent words survive a reload with their ids, and what was acknowledged does not", async (t) => {
  browser(t);
  const { votes } = await following(t);
  votes.send("stored");
  votes.send("first");
  votes.send("second");
  await settle();
  Dialled.last.says(ack(sent()[0], 1));
  const before = sent()[1];
  const shown = [];
  const again = await reloaded({ onUnsent: (unsent) => shown.push(unsent.map(({ data }) => data)) });
  assert.deepEqual(sent(), [before]);
  assert.deepEqual(again.unsent.map(({ data }) => data), ["first", "second"]);
  assert.deepEqual(shown.at(-1), ["first", "second"]);
});

test("another person's unsent words are not sent, and wait for her", async (t) => {
  browser(t);
  const { votes } = await following(t);
  votes.send("alice's").catch(() => {});
  await settle();
  await reloaded({}, BOB);
  assert.deepEqual(sent(), []);
  await reloaded({}, ALICE);
  assert.deepEqual(datas(), ["alice's"]);
});

test("a page that knows whose it is keeps what was written before any welcome", async (t) => {
  browser(t);
  stopTime(t);
  (await reloaded({ key: ALICE.key }, null)).send("early").catch(() => {});
  await settle();
  await reloaded({ key: BOB.key }, BOB);
  assert.deepEqual(sent(), []);
  await reloaded({ key: ALICE.key }, ALICE);
  assert.deepEqual(datas(), ["early"]);
});

test("where somebody else has logged in, nothing goes out as her", async (t) => {
  browser(t);
  const states = [];
  const { votes, client } = await following(t, { onState: (state) => states.push([state.name, state.changed, state.you?.name]) });
  const rejected = assert.rejects(votes.send("alice's"), { code: "somebody_else", data: "alice's" });
  await back(BOB, joined());
  await rejected;
  assert.deepEqual([sent(), votes.unsent, client.you], [[], [], BOB]);
  assert.deepEqual(states.at(-1), ["online", true, "Bob"]);
  await back(ALICE, joined());
  assert.deepEqual(datas(), ["alice's"]);
});

test("a page that closes the connection when somebody else is here has sent nothing", async (t) => {
  browser(t);
  const { client } = await following(t, { onState: (state) => state.changed && client.close() });
  await back(BOB);
  assert.deepEqual(Dialled.last.heard, []);
  assert.equal(client.state.name, "closed");
});

test("without cookies a guest is somebody new each time, and goes on", async (t) => {
  browser(t, { cookies: false });
  const { votes } = await following(t);
  votes.send("hello");
  await back({ key: "another", name: "Otter", guest: true }, joined());
  assert.deepEqual(datas(), ["hello"]);
});

test("where the person allows no storage it is kept as long as the page lives", async (t) => {
  browser(t);
  Object.defineProperty(globalThis, "sessionStorage", { configurable: true, get: () => { throw new Error("no"); } });
  const { votes } = await following(t, {}, joinedWith({}));
  const promise = votes.send("hello");
  await settle();
  Dialled.last.says(ack(sent()[0], 1));
  await promise;
});
