// The connection comes back by itself, when it should, as fast as it should.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Dialled, LUNCH, browser, following, joined, load, pass, settle, stopTime } from "./page.mjs";

const states = (heard) => ({ onState: ({ name, until, ordered, code }) => heard.push([name, until, ordered, code].filter((one) => one !== undefined)) });

test("it says how things stand", async (t) => {
  const heard = [];
  const { client } = await following(t, states(heard));
  Dialled.last.dies();
  await pass(500);
  Dialled.last.welcomes();
  client.close();
  const told = heard.filter(([name], place) => name !== heard[place - 1]?.[0]);
  assert.deepEqual(told.map(([name]) => name), ["connecting", "online", "offline", "connecting", "online", "closed"].slice(6 - told.length));
  assert.deepEqual(told.at(-1), ["closed"]);
});

test("it offers batches and speaks to its own site", async (t) => {
  browser(t);
  stopTime(t);
  const { connect } = await load();
  const client = connect();
  assert.equal(connect(), client);
  assert.equal(Dialled.last.url, "wss://site.example/ws/");
  assert.deepEqual(Dialled.last.protocols, ["topics.v1.batch", "topics.v1"]);
});

test("a plain socket does as well", async (t) => {
  const { told } = await following(t, { since: 0, epoch: "" });
  Dialled.last.onmessage({ data: JSON.stringify({ type: "event", topic: LUNCH, seq: 1, id: "a", by: null, data: 1 }) });
  assert.deepEqual(told.seqs, [1]);
});

test("it stays away as long as the server asks, whoever hurries", async (t) => {
  const heard = [];
  const { client } = await following(t, states(heard));
  Dialled.last.says({ type: "goodbye", reason: "restart", after_ms: 7_000 });
  Dialled.last.dies(4501);
  assert.deepEqual(heard.at(-1), ["offline", 7_499.5, true]);
  client.hurry();
  await pass(7_400);
  assert.equal(Dialled.all.length, 1);
  await pass(100);
  assert.equal(Dialled.all.length, 2);
});

test("its waits grow up to half a minute and are drawn by lot", async (t) => {
  await following(t);
  for (const [number, wait] of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
    Dialled.last.opens();
    Dialled.last.dies(1011);
    await pass(wait * 0.99);
    assert.equal(Dialled.all.length, number + 1);
    await pass(wait * 0.02);
    assert.equal(Dialled.all.length, number + 2);
  }
});

test("a socket that lived for a while was a good one: the next wait is short", async (t) => {
  await following(t);
  for (let turn = 0; turn < 5; turn++) {
    Dialled.last.says({ type: "pong" });
    await pass(11_000);
    Dialled.last.dies();
    await pass(500);
    assert.equal(Dialled.all.length, turn + 2);
    Dialled.last.welcomes();
  }
});

for (const welcomed of [true, false]) {
  test(`silence makes it dial again, ${welcomed ? "after" : "before"} the welcome`, async (t) => {
    stopTime(t);
    const { connect } = await load();
    connect({ url: "ws://site.example/ws/" });
    if (welcomed) Dialled.last.welcomes();
    else Dialled.last.opens();
    await pass(welcomed ? 39_900 : 14_900);
    assert.equal(Dialled.all.length, 1);
    await pass(700);
    assert.equal(Dialled.all.length, 2);
    assert.equal(Dialled.all[0].readyState, 3);
  });
}

for (const code of [4400, 4401, 4403, 4404, 4499]) {
  test(`after ${code} it stays away; whoever connects anew begins anew`, async (t) => {
    const heard = [];
    const { client, connect } = await following(t, states(heard));
    Dialled.last.dies(code);
    client.hurry();
    await pass(120_000);
    assert.equal(Dialled.all.length, 1);
    assert.deepEqual(heard.at(-1), ["closed", code]);
    assert.notEqual(connect({ url: "ws://site.example/ws/" }), client);
    assert.equal(Dialled.all.length, 2);
  });
}

test("without a network it does not dial; when it is back it dials at once", async (t) => {
  const { page, network } = browser(t);
  const { client } = await following(t);
  network.onLine = false;
  page.dispatchEvent(new Event("offline"));
  await pass(120_000);
  assert.deepEqual([Dialled.all.length, client.state.name, client.state.until], [1, "offline", undefined]);
  network.onLine = true;
  page.dispatchEvent(new Event("online"));
  assert.equal(Dialled.all.length, 2);
});

test("a page that has come from this machine needs no network", async (t) => {
  const { network } = browser(t);
  network.onLine = false;
  await following(t);
  assert.equal(Dialled.all.length, 1);
  Dialled.last.dies(1006);
  await pass(120_000);
  assert.ok(Dialled.all.length > 1);
});

test("a network that is lost while it stays away ends in one wait", async (t) => {
  const { page, network } = browser(t);
  await following(t);
  Dialled.last.says({ type: "goodbye", reason: "restart", after_ms: 7_000 });
  Dialled.last.dies(4501);
  network.onLine = false;
  page.dispatchEvent(new Event("offline"));
  await pass(120_000);
  assert.equal(Dialled.all.length, 1);
  network.onLine = true;
  page.dispatchEvent(new Event("online"));
  assert.equal(Dialled.all.length, 2);
});

test("a tab that is looked at again tries its socket for five seconds", async (t) => {
  const { document } = browser(t);
  await following(t);
  document.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual(Dialled.last.all("ping"), [{ type: "ping" }]);
  Dialled.last.says({ type: "pong" });
  await pass(6_000);
  assert.equal(Dialled.all.length, 1);
  document.dispatchEvent(new Event("visibilitychange"));
  await pass(5_500);
  assert.equal(Dialled.all.length, 2);
});

test("a page that is put aside has no socket, and one that is taken up again goes on", async (t) => {
  const { page } = browser(t);
  const { told } = await following(t, { since: 3, epoch: "e" });
  page.dispatchEvent(new Event("pagehide"));
  assert.equal(Dialled.last.readyState, 3);
  await pass(120_000);
  assert.equal(Dialled.all.length, 1);
  page.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  Dialled.last.welcomes();
  Dialled.last.says(joined({ type: "event", topic: LUNCH, seq: 4, id: "a", by: null, data: 1 }));
  await settle();
  assert.equal(Dialled.last.heard[0].since, 3);
  assert.deepEqual(told.seqs, [4]);
});
