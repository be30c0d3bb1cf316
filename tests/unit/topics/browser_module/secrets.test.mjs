// Who has none of the site's cookies bears a secret: another one at each dial, and nowhere where it could be read.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { ALICE, Dialled, LUNCH, Told, browser, event, joined, load, pass, settle, stopTime } from "./page.mjs";
import { Source, WELCOME, answering, cutOff } from "./fallback.mjs";

const bearer = (secret) => `bearer.${Buffer.from(secret).toString("base64url")}`;

/** A page of another origin, whose server gets it a ticket whenever it asks. */
async function foreign(t, more = {}) {
  browser(t);
  stopTime(t);
  mock.method(console, "warn", () => {});
  const { connect } = await load();
  let tickets = 0;
  const client = connect({ url: "https://topics.example/ws/", secret: async () => `ticket~?~${++tickets}`, ...more });
  const told = new Told("onEvent", "onError");
  const votes = client.join(LUNCH, { since: 0, epoch: "e", ...told.options });
  await settle();
  return { client, votes, told };
}

test("a socket bears the secret as a protocol, in the alphabet of URLs, and never in its address", async (t) => {
  await foreign(t);
  assert.equal(Dialled.last.url, "wss://topics.example/ws/");
  assert.deepEqual(Dialled.last.protocols, ["topics.v1.batch", "topics.v1", bearer("ticket~?~1")]);
  assert.match(Dialled.last.protocols[2], /^bearer\.[\w-]+$/);
});

test("each dial asks for another secret", async (t) => {
  const { told } = await foreign(t);
  Dialled.last.welcomes();
  Dialled.last.says(joined(event(1)));
  Dialled.last.dies();
  await pass(500);
  assert.deepEqual([Dialled.all.length, Dialled.last.protocols[2]], [2, bearer("ticket~?~2")]);
  Dialled.last.welcomes();
  Dialled.last.says(joined(event(2)));
  assert.deepEqual(told.seqs, [1, 2]);
});

test("a token that is at hand does as well", async (t) => {
  await foreign(t, { secret: () => "topics_token" });
  assert.equal(Dialled.last.protocols[2], bearer("topics_token"));
});

test("while no secret is to be had it asks again, ever more rarely, and dials nothing", async (t) => {
  let asked = 0;
  const { client } = await foreign(t, {
    secret: async () => {
      if (++asked < 6) throw new TypeError("no network");
      return "late";
    },
  });
  assert.deepEqual([asked, client.state.name], [1, "offline"]);
  await pass(500);
  assert.equal(asked, 2);
  await pass(15_100);
  assert.deepEqual([asked, Dialled.all.length, Dialled.last.protocols[2]], [6, 1, bearer("late")]);
});

test("a secret that does not come is not waited for, nor used when it comes late", async (t) => {
  const asked = [];
  await foreign(t, { secret: () => new Promise((resolve) => asked.push(resolve)) });
  await pass(16_000);
  assert.equal(asked.length, 2);
  asked[0]("old");
  await settle();
  assert.equal(Dialled.all.length, 0);
  asked[1]("new");
  await settle();
  assert.deepEqual(Dialled.all.map((dialled) => dialled.protocols[2]), [bearer("new")]);
});

test("a page that closes while its secret is on the way dials nothing", async (t) => {
  let come;
  const { client } = await foreign(t, { secret: () => new Promise((resolve) => (come = resolve)) });
  client.close();
  come("late");
  await pass(60_000);
  assert.deepEqual([Dialled.all.length, client.state.name], [0, "closed"]);
});

test("a secret that has run out is followed by another; one that is not valid ends it", async (t) => {
  const { client } = await foreign(t);
  await pass(100);
  Dialled.last.welcomes();
  Dialled.last.dies(4401);
  await pass(500);
  assert.equal(Dialled.all.length, 2);
  Dialled.last.opens();
  Dialled.last.dies(4401);
  await pass(60_000);
  assert.deepEqual([Dialled.all.length, client.state.name, client.state.code], [2, "closed", 4401]);
});

test("streams and posts bear one in a header, each its own", async (t) => {
  const { votes, told } = await foreign(t);
  const asked = answering(t, [201, { id: "a", seq: 2, at: "…" }]);
  await cutOff(); // four sockets in vain, the stream, and a fifth
  assert.equal(Source.last.url, `https://topics.example/topics/${LUNCH}?since=0&epoch=e`);
  assert.deepEqual(Source.last.headers, { Accept: "text/event-stream", Authorization: "Bearer ticket~?~5" });
  await Source.last.says(WELCOME, joined(event(1)));
  assert.deepEqual(told.seqs, [1]);
  assert.equal((await votes.send("pizza", { id: "a" })).seq, 2);
  const headers = { "Content-Type": "application/json", "Topics-Person": ALICE.key, Authorization: "Bearer ticket~?~7" };
  assert.deepEqual(asked, [{ url: `https://topics.example/topics/${LUNCH}`, headers, id: "a", data: "pizza" }]);
  votes.cancel(1);
  await settle();
  assert.deepEqual(asked[1], { url: `https://topics.example/topics/${LUNCH}?cancel=1`, headers: { Authorization: "Bearer ticket~?~8" } });
});

test("what is posted while no secret is to be had goes later", async (t) => {
  let gone = false;
  const { votes } = await foreign(t, {
    secret: () => {
      if (gone) throw new TypeError("no network");
      return "token";
    },
  });
  const asked = answering(t, [201, { id: "a", seq: 2, at: "…" }]);
  await cutOff();
  await Source.last.says(WELCOME, joined());
  gone = true;
  const sent = votes.send("pizza", { id: "a" });
  await settle();
  assert.deepEqual(asked, []);
  gone = false;
  await pass(1_000);
  assert.equal((await sent).seq, 2);
});
