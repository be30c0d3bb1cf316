// An event that grows: the page shows its text, whatever of it is told twice, lost, or was there before.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Dialled, LUNCH, event, following, globals, joined, joinedWith, load, pass, settle, stopTime } from "./page.mjs";

const FROM_3 = { since: 3, epoch: "e" };
const grows = (seq, text = "") => event(seq, { data: { text, status: "growing" } });
const more = (seq, at, text) => ({ type: "more", topic: LUNCH, seq, at, text });
const ends = (seq, about, text) => ({ ...event(seq), type: "change", about, data: { text, status: "done" } });

/** A page that is told of what grows, too. */
async function reading(t, ...frames) {
  const texts = [];
  const page = await following(t, { ...FROM_3, onMore: ({ text }) => texts.push(text) }, joined(...frames));
  return { ...page, texts };
}

test("the text is told as it grows, whole, and each of it once", async (t) => {
  const { texts, told } = await reading(t, grows(4));
  Dialled.last.says(more(4, 0, "Pizza"), more(4, 0, "Pizza is"), more(4, 0, "Pizza is"), more(4, 5, " is 🍕"), more(4, 11, "!"));
  assert.deepEqual(texts, ["Pizza", "Pizza is", "Pizza is 🍕", "Pizza is 🍕!"]);
  Dialled.last.says(ends(5, 4, "Pizza is 🍕!"));
  assert.deepEqual(told.of("onChange").map(([{ data }]) => data.text), ["Pizza is 🍕!"]);
});

test("what is older than what the page has is not shown again", async (t) => {
  const { texts } = await reading(t, grows(4, "Pizza is best"));
  Dialled.last.says(more(4, 0, "Pizza"), more(4, 6, "is best."));
  assert.deepEqual(texts, ["Pizza is best."]);
});

test("two that grow at once are not mixed", async (t) => {
  const { texts } = await reading(t, grows(4), grows(5));
  Dialled.last.says(more(4, 0, "one"), more(5, 0, "other"), more(4, 3, "!"));
  assert.deepEqual(texts, ["one", "other", "one!"]);
});

test("who comes back to it gets what was written meanwhile", async (t) => {
  const { texts } = await reading(t);
  Dialled.last.says(more(2, 0, "The page showed some of this."), more(2, 29, " More."));
  assert.deepEqual(texts, ["The page showed some of this.", "The page showed some of this. More."]);
});

test("what was lost is asked for, once, when it is stored", async (t) => {
  const { texts } = await reading(t, grows(4));
  Dialled.last.says(more(4, 0, "Pizza"), more(4, 9, "best"), more(4, 9, "best!"));
  assert.equal(Dialled.last.all("join").length, 1);
  await pass(500);
  assert.deepEqual(Dialled.last.all("join").slice(1), [{ type: "join", topic: LUNCH, since: 4, epoch: "e" }]);
  Dialled.last.says(joinedWith({ seq: 4 }), more(4, 0, "Pizza is best!"), more(4, 14, " Yes."));
  assert.deepEqual(texts, ["Pizza", "Pizza is best!", "Pizza is best! Yes."]);
  await pass(1_000);
  assert.equal(Dialled.last.all("join").length, 2);
});

test("a page stops it", async (t) => {
  const { votes } = await reading(t, grows(4));
  votes.cancel(4);
  assert.deepEqual(Dialled.last.all("cancel"), [{ type: "cancel", topic: LUNCH, seq: 4 }]);
});

test("a page without a socket stops it by a POST", async (t) => {
  stopTime(t);
  const asked = [];
  globals(t, { fetch: async (url, { method } = {}) => asked.push([method, url]) && Response.json({}) });
  const { connect } = await load();
  const votes = connect({ url: "ws://site.example/ws/" }).join(LUNCH, {});
  votes.cancel(4);
  await settle();
  assert.deepEqual(asked, [["POST", "http://site.example/topics/votes/lunch?cancel=4"]]);
});
