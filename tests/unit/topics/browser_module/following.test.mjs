// What a page that follows a topic is told: each event once and in order, whatever comes in which order.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ALICE, BOB, Dialled, EVERYTHING, LUNCH, Told, event, following, joined, joinedWith, load, pass, settle, stopTime } from "./page.mjs";

const FROM_3 = { since: 3, epoch: "e" };

test("who brings no position gets the latest, then what comes", async (t) => {
  const { told } = await following(t, {}, joinedWith({ recovered: false }, event(8), event(9)));
  assert.deepEqual(Dialled.last.heard, [{ type: "join", topic: LUNCH }]);
  Dialled.last.says(event(10));
  assert.deepEqual(told.seqs, [8, 9, 10]);
  assert.deepEqual(told.of("onReset"), [], "there was nothing to replace");
});

test("a page that shows 3 events hears of the fourth, and of nothing twice", async (t) => {
  const { told, votes } = await following(t, FROM_3, joined(event(4)));
  assert.deepEqual(Dialled.last.heard, [{ type: "join", topic: LUNCH, since: 3, epoch: "e" }]);
  Dialled.last.says(event(3), event(4), event(5), event(5));
  assert.deepEqual(told.seqs, [4, 5]);
  assert.deepEqual([votes.seq, votes.epoch, votes.joined], [5, "e", true]);
});

test("an element says where its page ends", async (t) => {
  stopTime(t);
  const { connect } = await load();
  const client = connect({ url: "ws://site.example/ws/" });
  client.join({ dataset: { topic: LUNCH, epoch: "", seq: "0" } });
  Dialled.last.welcomes();
  assert.deepEqual(Dialled.last.heard, [{ type: "join", topic: LUNCH, since: 0, epoch: "" }]);
});

test("the first event of a topic brings its epoch", async (t) => {
  const { votes } = await following(t, { since: 0, epoch: "" }, joinedWith({ epoch: "" }));
  Dialled.last.says(event(1, { epoch: "new" }));
  assert.deepEqual([votes.epoch, votes.seq], ["new", 1]);
});

test("after a cut it goes on from what it has", async (t) => {
  const { told } = await following(t, FROM_3, joined(event(4)));
  Dialled.last.dies();
  await pass(500);
  Dialled.last.welcomes();
  assert.deepEqual(Dialled.last.heard, [{ type: "join", topic: LUNCH, since: 4, epoch: "e" }]);
  Dialled.last.says(joined(event(5)));
  assert.deepEqual(told.seqs, [4, 5]);
});

for (const sign of [event(6), { type: "seq", topic: LUNCH, seq: 5, epoch: "e" }, { type: "seq", topic: LUNCH, seq: 4, epoch: "f" }]) {
  test(`a gap makes it ask for what is missing: ${JSON.stringify(sign).slice(0, 60)}`, async (t) => {
    const { told } = await following(t, FROM_3, joined(event(4)));
    Dialled.last.says(sign, event(7));
    assert.deepEqual(Dialled.last.all("join").at(-1), { type: "join", topic: LUNCH, since: 4, epoch: "e" });
    assert.equal(Dialled.last.all("join").length, 2, "it is asked for once");
    assert.deepEqual(told.seqs, [4]);
    Dialled.last.says(joined(event(5), event(6), event(7)), event(8));
    assert.deepEqual(told.seqs, [4, 5, 6, 7, 8]);
  });
}

test("a number that it has, or of a log without one, makes it ask for nothing", async (t) => {
  await following(t, FROM_3, joined(event(4)));
  Dialled.last.says({ type: "seq", topic: LUNCH, seq: 4, epoch: "e" }, { type: "seq", topic: LUNCH, seq: 4, epoch: "" });
  assert.equal(Dialled.last.all("join").length, 1);
});

test("where it cannot go on it is told to start over, and gets the latest", async (t) => {
  const { told, votes } = await following(t, FROM_3, joinedWith({ recovered: false, epoch: "f" }, event(70), event(71)));
  Dialled.last.says(event(72));
  assert.deepEqual(told.heard.filter(([name]) => name !== "onMembers").map(([name, frame]) => frame?.seq ?? name), ["onReset", 70, 71, 72]);
  assert.equal(votes.epoch, "f");
});

test("a change is told under its own number; what was taken back before is not shown", async (t) => {
  const { told } = await following(t, FROM_3, joined(event(4, { data: null, retracted: true }), event(5)));
  const change = { type: "change", topic: LUNCH, seq: 6, about: 5, by: BOB, data: "pasta", at: "…" };
  Dialled.last.says(change, { ...change, seq: 7, data: undefined, retracted: true });
  assert.deepEqual(told.seqs, [5, 6, 7]);
  assert.equal(told.of("onChange")[1][0].retracted, true);
});

test("signals, members and unread are told as they come", async (t) => {
  const { told, votes } = await following(t, FROM_3, joinedWith({ unread: 2 }));
  Dialled.last.says({ type: "signal", topic: LUNCH, by: BOB, data: { x: 1 } });
  Dialled.last.says({ type: "presence", topic: LUNCH, joined: [BOB], left: [], member_count: 2 });
  assert.deepEqual(votes.members, [ALICE, BOB]);
  Dialled.last.says({ type: "presence", topic: LUNCH, joined: [], left: [ALICE], member_count: 1 });
  Dialled.last.says({ type: "unread", topic: LUNCH, unread: 0 });
  assert.deepEqual(told.of("onMembers"), [[[ALICE], 1], [[ALICE, BOB], 2], [[BOB], 1]]);
  assert.deepEqual(told.of("onSignal")[0][0].data, { x: 1 });
  assert.deepEqual(told.of("onUnread"), [[2], [0]]);
  votes.read();
  votes.signal({ y: 2 });
  assert.deepEqual(Dialled.last.heard.slice(-2), [
    { type: "read", topic: LUNCH, seq: 3 },
    { type: "signal", topic: LUNCH, data: { y: 2 } },
  ]);
});

test("what is unread grows with each event of somebody else that was not counted yet", async (t) => {
  const { told } = await following(t, FROM_3, joinedWith({ unread: 2, seq: 5 }, event(4)));
  Dialled.last.says(event(5), event(6), event(7, { by: ALICE }), event(8, { data: null, retracted: true }), event(9));
  assert.deepEqual(told.of("onUnread"), [[2], [3], [4]], "5 is one of the two, 7 is her own, 8 is gone");
  Dialled.last.says({ type: "unread", topic: LUNCH, unread: 0 }, event(10));
  assert.deepEqual(told.of("onUnread").slice(3), [[0], [1]]);
});

test("where a topic counts nothing, nothing is said of what is unread", async (t) => {
  const { told } = await following(t, FROM_3, joined(event(4)));
  Dialled.last.says(event(5));
  assert.deepEqual(told.of("onUnread"), []);
});

test("what the page's own code gets wrong costs it nothing that comes after", async (t) => {
  t.mock.method(console, "error", () => {});
  const onEvent = (event) => {
    told.push(event.seq);
    throw new Error("of the page");
  };
  const told = [];
  await following(t, { ...FROM_3, onEvent }, joined(event(4), event(5)));
  Dialled.last.says(event(6));
  assert.deepEqual(told, [4, 5, 6]);
  assert.equal(console.error.mock.callCount(), 3);
});

test("a topic that is none for her is refused once, and not asked for again", async (t) => {
  const { told, client } = await following(t, FROM_3, { type: "error", topic: LUNCH, code: "no_such_topic", detail: "None." });
  const [[error]] = told.of("onError");
  assert.deepEqual([error.name, error.code, error.detail, error.message], ["Refused", "no_such_topic", "None.", "None."]);
  Dialled.last.dies();
  await pass(500);
  Dialled.last.welcomes();
  assert.deepEqual(Dialled.last.heard, []);
  client.join(LUNCH);
  assert.equal(Dialled.last.all("join").length, 1);
});

test("who joins too fast joins later", async (t) => {
  const { told } = await following(t, FROM_3, { type: "error", topic: LUNCH, code: "rate_limited", retry_after_ms: 700 });
  await pass(699);
  assert.equal(Dialled.last.all("join").length, 1);
  await pass(1);
  assert.equal(Dialled.last.all("join").length, 2);
  assert.deepEqual(told.of("onError"), []);
});

test("a signal that is refused does not end anything", async (t) => {
  const { told, votes } = await following(t);
  Dialled.last.says({ type: "error", topic: LUNCH, code: "forbidden", detail: "You may read this topic only." }, event(1));
  assert.deepEqual([told.of("onError").length, told.seqs, votes.joined], [1, [1], true]);
});

test("who may not follow any more is told so", async (t) => {
  const { told, votes } = await following(t);
  Dialled.last.says({ type: "left", topic: LUNCH, reason: "forbidden" }, event(1));
  assert.equal(told.of("onError")[0][0].code, "forbidden");
  assert.deepEqual([told.seqs, votes.joined], [[], false]);
});

test("what was left says nothing more, also to whoever joins right after", async (t) => {
  const { told, votes, client } = await following(t, FROM_3, null);
  votes.leave();
  votes.leave();
  const again = new Told(...EVERYTHING);
  client.join(LUNCH, { since: 8, epoch: "e", ...again.options });
  assert.deepEqual(Dialled.last.heard.map((frame) => frame.type), ["join", "leave", "join"]);
  Dialled.last.says(joined(event(4), event(5)), event(6), { type: "left", topic: LUNCH, reason: "asked" }, joined(event(9)));
  assert.deepEqual([told.seqs, again.seqs], [[], [9]]);
});

test("many topics share one socket, and each hears its own", async (t) => {
  const { connect, client, told } = await following(t);
  const dinner = new Told("onEvent");
  assert.equal(connect({ url: "ws://site.example/ws/" }), client);
  client.join("votes/dinner", dinner.options);
  Dialled.last.says({ ...joined(), topic: "votes/dinner" }, event(1), event(1, { topic: "votes/dinner", data: "other" }));
  assert.deepEqual([told.of("onEvent")[0][0].data, dinner.of("onEvent")[0][0].data], [1, "other"]);
  assert.equal(Dialled.all.length, 1);
});

test("what cannot be meant is refused at once", async (t) => {
  const { client } = await following(t);
  assert.throws(() => client.join(LUNCH), /joined already/);
  assert.throws(() => client.join({ dataset: {} }), /data-topic/);
  assert.throws(() => client.join(""), /data-topic/);
  assert.throws(() => client.join("votes/tea", { since: 3 }), /epoch/);
});

test("a frame that it does not know is for a later version", async (t) => {
  const { told } = await following(t);
  Dialled.last.says({ type: "unheard of", topic: LUNCH, seq: 1 }, { type: "unheard of" }, event(1));
  await settle();
  assert.deepEqual(told.seqs, [1]);
});
