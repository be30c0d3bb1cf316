// The messages on the page: a part of the log, mostly its end, and below it the page's own that are not in it yet.

import { showFiles } from "./files.js";
import { Left } from "./left.js";
import { join, localize, make, mention, own, place, removeWords, rename, showBody } from "./message.js";
import { Past } from "./past.js";
import { Quotes } from "./quotes.js";
import { Reactions } from "./reactions.js";
import { Scroller } from "./scroller.js";
import { Viewed } from "./viewed.js";
import { gettext } from "./words.js";

const SHOWN = 500; // older ones leave the page at its end, so that a room open for days stays light
const QUIET_MS = 1_000;

export class History {
  #box = document.getElementById("history");
  #messages = document.getElementById("messages");
  #unsent = document.getElementById("unsent");
  #empty = document.getElementById("empty");
  #scroller;
  #past;
  #quotes;
  #left;
  #viewed;

  // room: its name. first, last, seq: which numbers the page has, and where the log ended then. onEdit(id): somebody
  // wants the refused message back in the form. onChange(seq, body): she wants to change what she has said.
  // onReply(seq): she wants to answer a message. onReact(seq, emoji, on). onLeave(address): the page begins again there, or
  // at the log's end. onRead(seq): she has seen a message.
  constructor({ room, you, first, last, seq, onEdit, onChange, onReply, onReact, onLeave, onRead }) {
    Object.assign(this, { you, onEdit, onChange, onReply, onLeave });
    this.reactions = new Reactions({ you: () => this.you, messages: this.#messages, onReact });
    this.#viewed = new Viewed({ items: this.#messages, onRead });
    this.#left = new Left(`seen:${you.key}:${room}`);
    this.#scroller = new Scroller({
      isCut: () => this.#past.isAway(),
      onMove: () => this.#look(),
      onLatest: () => this.toLatest(),
    });
    const onOlder = (events) => this.#prepend(events);
    const onNewer = (events) => this.#append(events);
    this.#past = new Past({ room, first, last, seq, onOlder, onNewer });
    this.#quotes = new Quotes({ url: this.#past.url, messages: this.#messages });
    for (const item of this.#messages.children) {
      own(item, item.dataset.key === you.key);
      localize(item);
      join(item.previousElementSibling, item);
    }
    document.getElementById("room").addEventListener("click", (event) => this.#click(event));
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#left.go() : this.#look()));
    this.#left.show(this.#messages.children, this.#past.first);
    this.#scroller.show();
    this.#look();
  }

  // The page's numbers are of another log, or too old: what comes replaces them.
  clear() {
    this.#messages.replaceChildren();
    this.#past.restart();
  }

  // A message of the log's end: an own one that waited below moves up into its place.
  show({ seq, id, by, data, at }) {
    const { body, edited, reply, mentions } = data ?? {};
    const isOwn = by?.key === this.you.key;
    if (this.#past.isAway(seq)) return isOwn ? this.toLatest() : this.#scroller.count();
    const waiting = this.#waiting(id);
    const item = waiting ?? make({ id, by, body: body ?? "", edited, quote: this.quote(reply) });
    this.#scroller.hold(this.#messages.lastElementChild);
    item.querySelector(".state")?.remove();
    item.classList.remove("pending", "refused");
    place(item, seq, at);
    own(item, isOwn || Boolean(waiting));
    mention(item, mentions, this.you);
    showFiles(item, data?.files);
    this.reactions.show(item, data?.reactions);
    if (!this.#messages.lastElementChild) this.#past.begin(seq);
    this.#messages.append(item);
    join(item.previousElementSibling, item);
    if (!isOwn) this.#scroller.count();
    this.#trim();
    this.#empty.hidden = true;
    if (document.hidden) this.#left.show([item], seq);
    this.#look();
  }

  // An earlier message has other words now, or none. Or it has the same, and who has said it has left: she is called
  // what `by` says wherever she stands. A guest's earlier messages keep the names that they were said under.
  change({ about, by, data, retracted }) {
    if (by && !by.guest) this.#rename(by);
    this.#quotes.change({ about, data, retracted });
    const item = this.#quotes.find(about);
    if (!item) return;
    this.#scroller.hold(item);
    if (retracted) removeWords(item);
    else showBody(item, { body: data?.body ?? "", edited: data?.edited });
    mention(item, data?.mentions, this.you);
    showFiles(item, data?.files);
    this.reactions.show(item, data?.reactions);
    for (const one of [item, item.nextElementSibling]) if (one) join(one.previousElementSibling, one);
  }

  #rename({ key, name }) {
    for (const item of this.#messages.querySelectorAll(`li[data-key="${key}"]`)) {
      rename(item, name);
      this.#quotes.rename(item.dataset.seq, name);
    }
  }

  // All others who are here or wrote lately: who did last comes first.
  authors(members) {
    const known = new Map();
    for (const item of [...this.#messages.querySelectorAll(".message:not(.gone)")].reverse()) {
      const { key } = item.dataset;
      if (!known.has(key)) known.set(key, { key, name: item.querySelector(".author").textContent });
    }
    for (const { key, name } of members) known.set(key, { key, name });
    for (const key of ["", this.you.key]) known.delete(key);
    return [...known.values()];
  }

  // The element of the message that is answered, if one is.
  quote(seq) {
    return Number.isInteger(seq) && seq > 0 ? this.#quotes.make(seq) : null;
  }

  // The last of her own that she may change.
  changeLast() {
    const mine = [...this.#messages.querySelectorAll(".mine[data-seq]:not(.gone)")].at(-1);
    if (mine) this.#change(mine);
  }

  toLatest() {
    if (this.#past.isAway()) this.onLeave();
    else this.#scroller.toEnd();
  }

  // Brings the lower list in line with the outbox. What is acked stays until the log shows it.
  showUnsent(entries, wordsFor) {
    for (const entry of entries) {
      const item = this.#waiting(entry.id) ?? this.#makeUnsent(entry);
      const state = item.querySelector(".state span");
      const words = wordsFor(entry);
      if (state.textContent !== words) state.textContent = words;
      item.classList.add("pending");
      item.classList.toggle("refused", Boolean(entry.refused));
      item.querySelector(".state button").hidden = !entry.refused;
    }
    const ids = new Set(entries.map((entry) => entry.id));
    for (const item of this.#unsent.children) if (!ids.has(item.dataset.id)) this.#settle(item);
  }

  // What the log no longer owes: acked messages that a fresh snapshot has left behind, and edited ones.
  forget(isGone) {
    for (const item of [...this.#unsent.children]) if (isGone(item.dataset.id)) item.remove();
  }

  #prepend(events) {
    const first = this.#messages.firstElementChild;
    this.#quietly();
    this.#messages.prepend(...events.map((event) => this.#stored(event)));
    for (let item = this.#messages.firstElementChild; item; item = item.nextElementSibling) {
      join(item.previousElementSibling, item);
      if (item === first) break;
    }
    this.#left.show(this.#messages.children, this.#past.first);
  }

  #append(events) {
    this.#quietly();
    this.#scroller.hold(this.#messages.lastElementChild, true);
    for (const event of events) {
      const item = this.#stored(event);
      this.#messages.append(item);
      join(item.previousElementSibling, item);
    }
  }

  // What was said long ago is no news to a screen reader.
  #quietly() {
    this.#box.ariaLive = "off";
    setTimeout(() => (this.#box.ariaLive = "polite"), QUIET_MS);
  }

  #stored({ seq, id, by, data, at, retracted }) {
    const { body, edited, reply, mentions } = data ?? {};
    const item = make({ seq, id, by, body: body ?? "", edited, at, retracted, quote: this.quote(reply) });
    own(item, !retracted && by?.key === this.you.key);
    mention(item, mentions, this.you);
    showFiles(item, data?.files);
    this.reactions.show(item, data?.reactions);
    return item;
  }

  #waiting(id) {
    return [...this.#unsent.children].find((item) => item.dataset.id === id);
  }

  #makeUnsent(entry) {
    const item = make({ id: entry.id, by: this.you, body: entry.body, quote: this.quote(entry.reply) });
    item.classList.add("mine", "pending");
    showFiles(item, entry.attached);
    for (const tool of item.querySelectorAll(".link, .reply, .react, .more")) tool.hidden = true;
    const state = document.createElement("p");
    state.className = "state soft";
    const edit = document.createElement("button");
    edit.type = "button";
    edit.className = "quiet";
    edit.textContent = gettext("Edit");
    edit.addEventListener("click", () => this.onEdit(entry.id));
    state.append(document.createElement("span"), " ", edit);
    item.append(state);
    this.#unsent.append(item);
    this.#scroller.toEnd();
    return item;
  }

  #settle(item) {
    item.classList.remove("pending");
    item.querySelector(".state span").textContent = "";
  }

  #click(event) {
    const link = event.target.closest(".change, .reply, .quote");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.matches(".quote")) this.#jump(Number(link.dataset.seq), link.href);
    else if (link.matches(".reply")) this.onReply(Number(link.closest("li").dataset.seq));
    else this.#change(link.closest("li"));
  }

  // To a message that is here, or can soon be; else to the page that shows it.
  async #jump(seq, address) {
    await this.#past.reach(seq);
    const item = this.#quotes.find(seq);
    if (!item) return this.onLeave(address);
    location.hash = item.id; // which marks it
    item.tabIndex = -1;
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "center" });
  }

  #change(item) {
    this.onChange(Number(item.dataset.seq), item.querySelector(".body").textContent);
  }

  // Near an end of what is here more is asked for. What is seen at the log's end has been read.
  #look() {
    this.#past.look(this.#scroller.place);
    const last = this.#messages.lastElementChild;
    if (last && !document.hidden && !this.#scroller.isAway && !this.#past.isAway()) this.#left.see(Number(last.dataset.seq));
  }

  #trim() {
    if (this.#scroller.isAway || this.#messages.children.length <= SHOWN) return;
    while (this.#messages.children.length > SHOWN) this.#messages.firstElementChild.remove();
    join(null, this.#messages.firstElementChild);
    this.#past.begin(Number(this.#messages.firstElementChild.dataset.seq));
  }
}
