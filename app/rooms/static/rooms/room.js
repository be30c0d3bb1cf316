// The room in the browser: what its topic says goes to the history and the people; what is written goes into the topic.

import { connect } from "../topics/client.js";
import { Composer } from "./composer.js";
import { keepsCookies } from "./cookies.js";
import { Draft } from "./draft.js";
import { History } from "./history.js";
import { Leaving } from "./leaving.js";
import { lobby } from "./lobby.js";
import { Mentions } from "./mentions.js";
import { Order, follow } from "./order.js";
import { People, Typing } from "./people.js";
import { Refused } from "./refused.js";
import { Status } from "./status.js";
import { gettext, interpolate } from "./words.js";

const NOBODY = { key: "", name: "", guest: false };
const CHANGED_AGAIN_MS = 10_000; // a page that starts over more often than that would do so for ever

const page = document.getElementById("room").dataset;
const you = { key: page.key, name: page.you, guest: page.guest === "1" };
const [first, last, seq] = [page.first, page.last, page.seq].map(Number);

const storage = tabStorage();
const knowsHer = keepsCookies();
const draft = new Draft({ storage, key: `draft:${page.key}:${page.room}` });
const leaving = new Leaving({ keeps: storage && knowsHer });
const stranded = [];
const people = new People(you);
const typing = new Typing();
const order = new Order();
const refused = new Refused({ storage, key: `refused:${page.key}:${page.room}`, onChange: showUnsent });
const status = new Status({ onRedial: () => connection.hurry() });
const history = new History({
  room: page.room,
  you,
  first,
  last,
  seq,
  onEdit: edit,
  onChange: (seq, body) => composer.change(seq, body),
  onReply: (seq) => composer.answer(seq),
  onReact: (about, react, on) => topic.send({ about, react, on }).catch(refuse),
  onLeave: leave,
  onRead: (seq) => lobby.read(`room/${page.room}`, seq, topic.memberCount),
});
const connection = connect({ key: page.key, onState: stand });
const topic = connection.join(`room/${page.room}`, {
  since: seq,
  epoch: page.epoch,
  onEvent: hear,
  onChange: (change) => history.change(change),
  onSignal: ({ by, data }) => (by ? data.typing && typing.add(by) : data.rules && order.show(data.rules)),
  onMembers: (members, count) => people.show(members, count),
  onUnsent: showUnsent,
  onReset: startOver,
  onError: refuse,
});
const mentions = new Mentions({ people: () => history.authors(topic.members) }); // hears a key before the composer
const composer = new Composer({
  limit: Number(page.limit),
  files: { most: Number(page.files), bytes: Number(page.bytes) },
  onSay: (said) => topic.send({ ...said, mentions: mentions.of(said.body) }).catch(refuse),
  onChange: (about, body) => topic.send({ about, body, mentions: mentions.of(body) }).catch(refuse),
  onRemove: (about) => topic.send({ about, retract: true }).catch(refuse),
  onTyping: () => topic.signal({ typing: true }),
  onLast: () => history.changeLast(),
  onDraft: keepDraft,
  quote: (seq) => history.quote(seq),
});

function hear(event) {
  history.show(event);
  typing.remove(event.by ?? NOBODY);
}

// This page's past is not the log's past any more, or too far behind: show what there is.
function startOver() {
  history.clear();
  history.forget((id) => !unsent().some((entry) => entry.id === id));
}

// What was written and is not accepted as it is; or the room is none for whoever is here, or none any more.
function refuse(error) {
  if (error.data?.about) composer.warn(error.detail);
  else if (error.code === "somebody_else") strand(error);
  else if (error.id) refused.add({ id: error.id, ...error.data, refused: error.detail });
  else if (!topic.joined) close(error);
}

// Why, where somebody has said it. A room that has gone may only have another name.
async function close({ code, detail }) {
  const isBarred = code === "forbidden" || code === "banned";
  const why = isBarred && detail !== code ? detail : "";
  const go = () => (leaving.go(), connection.close());
  if (isBarred || !(await follow(page, storage, go))) status.show({ name: "closed", code: isBarred ? 4403 : 4404, why });
}

// Somebody else is here now: it waits for who wrote it, and is shown as long as the page is.
function strand({ id, data }) {
  stranded.push({ id, ...data });
  showUnsent();
}

function stand(state) {
  if (state.changed && state.name === "online") return becomeSomebodyElse();
  status.show(state);
  if (state.name !== "online") return people.age();
  document.getElementById("you").textContent = state.you.name;
  history.you = people.you = state.you;
}

// Another account has logged in in this browser, or nobody is logged in any more. Nothing that the one has written goes
// out as the other: the page starts over, and what is unsent waits for its author.
function becomeSomebodyElse() {
  connection.close();
  status.show({ name: "closed", code: "changed" });
  const before = storage?.getItem("changed");
  if (!storage || (before && Date.now() - before < CHANGED_AGAIN_MS)) return;
  storage.setItem("changed", Date.now());
  storage.setItem("notice", "1");
  leaving.go();
  location.reload();
}

// The page shows another part of the log than is wanted: from the one to where people talk now, or to an older one.
function leave(address = location.pathname) {
  leaving.go();
  location.assign(address);
}

function keepDraft() {
  draft.set(composer.draft);
  askIfUnsent();
}

// Whoever closes the tab is asked as long as something is neither stored nor taken back.
function askIfUnsent() {
  leaving.ask(Boolean(composer.draft) || topic.unsent.length + refused.entries.length + stranded.length > 0);
}

// Why this page has begun again by itself.
function explain() {
  const notice = document.getElementById("notice");
  if (!storage?.getItem("notice")) return;
  storage.removeItem("notice");
  const words = gettext("You are %(name)s here now, so the page has started over. What somebody else has left unsent waits for them.");
  notice.textContent = interpolate(words, you);
  notice.hidden = false;
}

function restoreDraft() {
  const left = draft.get();
  if (left) composer.restore(left);
}

function unsent() {
  const messages = topic.unsent.filter(({ data }) => !data.about);
  const all = [...refused.entries, ...stranded, ...messages.map(({ id, data, sending, why }) => ({ id, ...data, sending, why }))];
  return all.map((entry) => ({ ...entry, attached: composer.describe(entry.files) }));
}

function showUnsent() {
  history.showUnsent(unsent(), ({ refused, sending, why }) => {
    if (refused) return interpolate(gettext("Not accepted: %(why)s"), { why: refused });
    if (sending) return gettext("sending…");
    return why ? interpolate(gettext("not sent yet: %(why)s"), { why }) : gettext("not sent yet");
  });
  history.reactions.unsent(topic.unsent.map(({ data }) => data).filter(({ react }) => react));
  askIfUnsent();
}

function edit(id) {
  const said = refused.take(id);
  history.forget((gone) => gone === id);
  composer.edit(said);
}

// What a page of the version before has left in this tab.
function takeOver() {
  const left = `outbox:${page.key}:${page.room}`;
  const entries = JSON.parse(storage?.getItem(left) ?? "[]");
  storage?.removeItem(left);
  for (const { id, body } of entries) topic.send({ body }, { id }).catch(refuse);
}

// Merely asking for the storage raises where the person has switched it off.
function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

document.getElementById("cookies").hidden = knowsHer;
explain();
restoreDraft();
takeOver();
showUnsent();
