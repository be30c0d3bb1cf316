// The room in the browser: frames come in by the connection and move the cursor, the history and the people;
// what is written goes into the outbox and leaves when the connection is live.

import { Composer } from "./composer.js";
import { Connection, watchNetwork } from "./connection.js";
import { keepsCookies } from "./cookies.js";
import { Cursor } from "./cursor.js";
import { History } from "./history.js";
import { Outbox } from "./outbox.js";
import { People, Typing } from "./people.js";
import { Status } from "./status.js";

const POST_MS = 15_000; // for the answer to a form
const CHANGED_AGAIN_MS = 10_000; // a page that starts over more often than that would do so for ever

const page = document.getElementById("room").dataset;
const form = document.getElementById("say");
const draftKey = `draft:${page.key}:${page.room}`;
const you = { name: page.you, guest: page.guest === "1" };

const storage = tabStorage();
const cursor = new Cursor(page.epoch, Number(page.seq));
const people = new People(you);
const typing = new Typing();
const status = new Status({ onRedial: () => connection.hurry() });
const history = new History({ you, onEdit: edit });
const connection = new Connection({ address, onFrame: (frame) => heard[frame.type]?.(frame), onState: stand });
const outbox = new Outbox({
  storage,
  key: `outbox:${page.key}:${page.room}`,
  send: (frame) => (connection.blocked ? post(frame) : connection.send(frame)),
  onChange: showUnsent,
  onStuck: () => connection.redial(),
});
const composer = new Composer({
  limit: Number(page.limit),
  onSay: (body) => outbox.add(body),
  onTyping: () => connection.send({ type: "typing" }),
});

const heard = {
  welcome(frame) {
    if (isSomebodyElse(frame.key)) return becomeSomebodyElse();
    document.getElementById("you").textContent = frame.you.name;
    history.you = frame.you;
    people.welcome(frame);
    if (!frame.recovered) startOver(frame);
    frame.messages.forEach(heard.message);
  },
  message(frame) {
    const place = cursor.place(frame.seq);
    if (place === "gap") return connection.redial();
    outbox.remove(frame.id);
    if (place === "next") history.show(frame);
    typing.remove(frame.user);
  },
  ack: (frame) => outbox.remove(frame.id),
  presence: (frame) => people.change(frame),
  typing: (frame) => typing.add(frame.user),
  seq: (frame) => frame.seq > cursor.seq && connection.redial(),
  error(frame) {
    if (!frame.id) return;
    if (frame.code === "rate_limited" || frame.code === "unavailable") outbox.putOff(frame.id, frame.retry_after_ms);
    else outbox.refuse(frame.id, frame.detail);
  },
};

// This page's past is not the log's past any more, or too far behind: show what there is.
function startOver(welcome) {
  cursor.restart(welcome);
  history.clear();
  history.forget((id) => !outbox.entries.some((entry) => entry.id === id));
}

// Another account has logged in in this browser, or nobody is logged in any more. Without cookies a guest is somebody
// new on every socket, and stays on this page whoever that is.
function isSomebodyElse(key) {
  return Boolean(key) && key !== page.key && keepsCookies();
}

// Nothing that the one has written goes out as the other: the page starts over, and what is unsent waits for its author.
function becomeSomebodyElse() {
  connection.leave("changed");
  const before = storage?.getItem("changed");
  if (!storage || (before && Date.now() - before < CHANGED_AGAIN_MS)) return;
  storage.setItem("changed", Date.now());
  if (composer.draft) storage.setItem(draftKey, composer.draft);
  composer.clear();
  location.reload();
}

function restoreDraft() {
  const draft = storage?.getItem(draftKey);
  if (!draft) return;
  storage.removeItem(draftKey);
  composer.edit(draft);
}

function stand(state) {
  status.show(state);
  if (state.name !== "live") people.age();
  if (state.name === "live" || state.blocked) outbox.wake();
  else outbox.sleep();
}

// Where no socket comes through, what is written goes by the page's own form, with its id: however often and whichever
// way it is sent, it is stored once. Whoever has to log in first is led elsewhere.
async function post({ id, body }) {
  const fields = new FormData(form);
  fields.set("id", id);
  fields.set("body", body);
  const signal = AbortSignal.timeout(POST_MS);
  const sent = fetch(form.action, { method: "POST", body: new URLSearchParams(fields), signal });
  const answer = await sent.catch(() => null);
  if (answer?.ok && answer.redirected && answer.url === form.action) outbox.remove(id);
  else if (answer?.ok || [403, 409, 422].includes(answer?.status)) outbox.refuse(id, "Reload the page and send it again.");
  else outbox.putOff(id);
}

function showUnsent() {
  history.showUnsent(outbox.entries, ({ id, refused }) => {
    if (refused) return `Not accepted: ${refused}`;
    return outbox.isFlying(id) ? "sending…" : "not sent yet";
  });
}

function edit(id) {
  const { body } = outbox.entries.find((entry) => entry.id === id);
  outbox.remove(id);
  history.forget((gone) => gone === id);
  composer.edit(body);
}

function address() {
  const url = new URL(`${page.socket}?${cursor.query}`, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

// Merely asking for the storage raises where the person has switched it off.
function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

document.getElementById("cookies").hidden = keepsCookies();
restoreDraft();
showUnsent();
watchNetwork(connection);
connection.dial();
