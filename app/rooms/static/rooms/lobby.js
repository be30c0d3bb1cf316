// The list of rooms, on a page of its own or beside a conversation: what is new in which, as it comes. The server says
// which messages there are, by number and author; what is new to this person is counted here, from how far she has read.

import { connect } from "../topics/client.js";
import { Attention, shown } from "./attention.js";
import { Reads } from "./reads.js";
import { showTime } from "./times.js";
import { interpolate, locale, ngettext } from "./words.js";

const SAID = 10; // numbers of a room's log that the server tells of, as in topics/delivery/looking.py
const FORGOTTEN_MS = 20_000; // who is away for longer is not told what has come meanwhile, and asks
const SPREAD_MS = 5_000; // of many who were cut off at once
const OTHERS = 50; // rooms that she does not read
const OPAQUE = "room/~"; // how names begin that say nothing
const LOADED_AT = Date.now();

class Lobby {
  #box = document.getElementById("lobby");
  #pattern = document.getElementById("listed").content.firstElementChild;
  #attention = new Attention();
  #awaySince = LOADED_AT;
  #asking = 0;
  #isNobody = false; // who has no cookies is somebody else on each connection, and has read nothing
  #key = this.#box.dataset.key;
  #isPast = Boolean(this.#box.dataset.past); // the page shows what was earlier: what is new has no place there
  #connection = connect({ key: this.#key, onState: (state) => this.#stand(state) });
  #topic = this.#connection.join(`lobby/${this.#key}`, {
    onSignal: ({ by, data }) => by || this.#hear(data),
    onError: ({ code }) => (this.#isNobody ||= code === "no_such_topic"),
  });
  #reads = new Reads((topic, seq) => this.#topic.send({ read: topic, seq }));

  constructor() {
    this.#show();
  }

  // She has seen the messages of that room up to that number. `members`: how many are there, and read as she does.
  read(topic, seq, members) {
    const row = this.#find(topic);
    const isOwn = Boolean(row?.dataset.read);
    if (this.#isNobody || (isOwn && Number(row.dataset.read) >= seq)) return;
    this.#reads.add(topic, seq, members);
    if (!isOwn) return; // one of her rooms as soon as the server says so
    const isAll = seq >= Number(row.dataset.heard);
    Object.assign(row.dataset, { read: seq }, isAll && { heard: seq, unread: 0, mentions: 0 });
    this.#show();
  }

  #stand({ name, changed }) {
    if (name !== "online") this.#awaySince ||= Date.now();
    else if (changed) this.#startOver();
    else {
      if (Date.now() - this.#awaySince > FORGOTTEN_MS) this.#askSoon();
      this.#awaySince = 0;
    }
  }

  // Somebody else is here now. Beside a conversation that starts the page over by itself.
  #startOver() {
    if (document.getElementById("room") || Date.now() - LOADED_AT < FORGOTTEN_MS) return;
    this.#connection.close();
    location.reload();
  }

  #hear({ news = [], read, rooms }) {
    for (const one of [...news].reverse()) this.#hearNews(one); // the latest comes first, and is to stand first
    if (read) this.#hearRead(read);
    if (rooms) this.#hearRooms(rooms);
    this.#show();
  }

  #hearNews({ topic, seq, at, said, changed }) {
    const row = this.#find(topic) ?? this.#make(topic);
    if (!row) return;
    const { dataset } = row;
    const [known, seen] = [dataset.heard, dataset.read].map(Number);
    if (changed > known && Number(dataset.mentions)) this.#askSoon(); // a mention may be gone
    if (seq <= known) return;
    const isOwn = dataset.read !== "" || topic === this.#box.dataset.here; // an empty room is read by nobody
    const fresh = isOwn ? said.filter(([number, key]) => number > Math.max(known, seen) && key !== this.#key) : [];
    const untold = isOwn ? Math.max(0, seq - SAID - Math.max(known, seen)) : 0;
    const unread = Number(dataset.unread) + fresh.length + untold;
    const mentions = Number(dataset.mentions) + fresh.filter((one) => one.includes(this.#key, 2)).length;
    Object.assign(dataset, { heard: seq, unread, mentions });
    showTime(row.querySelector("time"), at);
    if (fresh.length) this.#box.dispatchEvent(new CustomEvent("fresh", { detail: { topic, fresh } }));
    this.#lift(row);
  }

  // She has read on another device, or the server has counted what is left.
  #hearRead({ topic, seq, read, unread, addressed }) {
    const row = this.#find(topic);
    if (!row?.dataset.read) return this.#askSoon(0); // one of her rooms from now on
    if (read < Number(row.dataset.read)) return;
    const later = Math.max(0, Number(row.dataset.heard) - Math.max(seq, read)); // heard before this
    Object.assign(row.dataset, { read, unread: unread + later, mentions: addressed });
  }

  // She has become a member of a room, or is one no more.
  #hearRooms({ topic, joined }) {
    if (joined) this.#askSoon(0);
    else this.#find(topic)?.remove();
  }

  #make(topic) {
    const [, others] = this.#lists;
    if (this.#isPast) return null;
    if (topic.startsWith(OPAQUE)) return this.#askSoon(0); // the server knows what it is called
    const row = this.#pattern.cloneNode(true);
    const name = topic.slice(topic.indexOf("/") + 1);
    row.dataset.topic = topic;
    row.dataset.heard = 0;
    row.querySelector("a").href = `/room/${encodeURIComponent(name)}/`;
    row.querySelector(".name").textContent = name;
    others.prepend(row);
    if (others.children.length > OTHERS) others.lastElementChild.remove();
    return row;
  }

  // What is pointed at, or has the focus, stays where it is.
  #lift(row) {
    const list = row.parentElement;
    if (!list.contains(document.activeElement) && !list.matches(":hover")) list.prepend(row);
  }

  #show() {
    const all = { unread: 0, mentions: 0 };
    for (const row of this.#rows) {
      for (const kind of ["unread", "mentions"]) {
        const number = Number(row.dataset[kind]);
        all[kind] += number;
        row.querySelector(`.${kind}`).hidden = !number;
        row.querySelector(`.${kind} .number`).textContent = shown(number);
      }
      const count = row.querySelector(".count");
      const number = Number(row.dataset.heard);
      const words = ngettext("%(count)s message", "%(count)s messages", number);
      count.textContent = interpolate(words, { count: number.toLocaleString(locale) });
    }
    const [own, others] = this.#lists.map((list) => list.children.length > 0);
    this.#lists.forEach((list, place) => {
      list.hidden = ![own, others][place];
      list.previousElementSibling.hidden = list.hidden || !own; // its heading
    });
    const nothing = document.getElementById("nothing");
    if (nothing) nothing.hidden = this.#rows.length > 0;
    this.#attention.show(all);
  }

  #find(topic) {
    return this.#rows.find((row) => row.dataset.topic === topic);
  }

  get #lists() {
    return [".own", ".others"].map((kind) => this.#box.querySelector(kind));
  }

  get #rows() {
    return [...this.#box.querySelectorAll(".listed")];
  }

  #askSoon(spread = SPREAD_MS) {
    if (this.#isPast) return;
    this.#asking ||= setTimeout(() => this.#ask(), Math.random() * spread);
  }

  async #ask() {
    this.#asking = 0;
    if (this.#box.contains(document.activeElement)) return this.#askSoon(); // the focus would be lost
    try {
      const answer = await fetch(this.#box.dataset.list);
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      this.#box.replaceChildren(...page.body.childNodes);
      this.#show();
    } catch {
      // It is asked again after the next time that the line was cut.
    }
  }
}

export const lobby = document.getElementById("lobby") ? new Lobby() : null;
