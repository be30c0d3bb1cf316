// What the page does not have of the log: earlier messages, and later ones where it shows a part of the past. More is
// asked for before the person gets to the end of what is here.

import { gettext } from "./words.js";

const AT_ONCE = 50;
const NEAR = 1.5; // windows' heights
const AGAIN_MS = 2_000; // after a line that was cut
const REACH = 5; // parts of the past that are got for one message

export class Past {
  #older = document.getElementById("older");
  #newer = document.getElementById("newer");
  #newest = document.getElementById("newest");
  #words = this.#older.textContent;
  #asking = null;
  #failed = 0;

  // first, last: the numbers that are here. seq: where the log ends. onOlder(events), onNewer(events): in order.
  constructor({ room, first, last, seq, onOlder, onNewer }) {
    Object.assign(this, { first, last, seq, onOlder, onNewer });
    this.url = `/topics/room/${encodeURIComponent(room)}`;
    this.#older.addEventListener("click", (event) => this.#click(event, () => this.#askOlder()));
    this.#newer.addEventListener("click", (event) => this.#click(event, () => this.#askNewer()));
  }

  // Whether the log's end is not here. seq: another number of it, if one was heard.
  isAway(seq = this.seq) {
    const away = this.last < this.seq;
    this.seq = Math.max(this.seq, seq);
    if (!away) this.last = this.seq;
    return away;
  }

  // Nothing is here: what comes next is the log's end.
  restart() {
    this.seq = this.last = 0;
    this.begin(1);
    this.#newer.hidden = this.#newest.hidden = true;
  }

  // What is here begins at that number.
  begin(first) {
    this.first = first;
    this.#older.hidden = first <= 1;
    this.#older.href = `?before=${first}`;
  }

  // How far it is to the top and the bottom of what is here, in windows' heights. Without a scroll bar nobody has moved.
  look({ above, below, moved }) {
    if (!moved || Date.now() < this.#failed + AGAIN_MS) return;
    if (above < NEAR && this.first > 1) this.#askOlder();
    else if (below < NEAR && this.last < this.seq) this.#askNewer();
  }

  // Gets what is earlier until that number is here, unless it is far away or the line is cut.
  async reach(seq) {
    for (let tries = REACH; tries && this.first > seq && (await this.#askOlder()); tries--);
  }

  #click(event, ask) {
    event.preventDefault();
    ask();
  }

  #askOlder() {
    return this.#ask(`before=${this.first}`, (events, first) => {
      this.begin(first ?? 1);
      this.onOlder(events);
    });
  }

  #askNewer() {
    return this.#ask(`after=${this.last}`, (events, _, last, seq) => {
      this.last = last ?? seq;
      this.seq = Math.max(this.seq, seq);
      this.#newer.href = `?after=${this.last}`;
      this.#newer.hidden = this.#newest.hidden = this.last >= this.seq;
      this.onNewer(events);
    });
  }

  // One at a time. Whether it has come.
  #ask(query, take) {
    this.#asking ??= this.#get(query, take).finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #get(query, take) {
    this.#older.textContent = gettext("Loading…");
    try {
      const answer = await fetch(`${this.url}?${query}&limit=${AT_ONCE}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      const { events, seq } = await answer.json();
      this.#failed = 0;
      this.#older.textContent = this.#words;
      const said = events.filter((event) => event.type === "event");
      take(said, events[0]?.seq, events.at(-1)?.seq, seq);
      return true;
    } catch {
      this.#failed = Date.now();
      this.#older.textContent = gettext("Not loaded. Try again");
      return false;
    }
  }
}
