// The messages on the page: those of the log, and below them the page's own that are not in it yet.

import { Scroller } from "./scroller.js";
import { showTime } from "./times.js";

const SHOWN = 500; // older ones leave the page, so that a room open for days stays light
const CLOSE_MS = 5 * 60_000; // what one person says within this time stands under one name

export class History {
  #messages = document.getElementById("messages");
  #unsent = document.getElementById("unsent");
  #empty = document.getElementById("empty");
  #scroller = new Scroller();
  #pattern = document.getElementById("message").content.firstElementChild;

  // onEdit(id): somebody wants the refused message back in the form.
  constructor({ you, onEdit }) {
    Object.assign(this, { you, onEdit });
    for (const item of this.#messages.children) {
      const time = item.querySelector("time");
      showTime(time, time.dateTime);
      this.#group(item);
    }
  }

  clear() {
    this.#messages.replaceChildren();
  }

  // A message of the log: an own one that waited below moves up into its place.
  show(message) {
    const item = this.#waiting(message.id) ?? this.#make(message.user, message.id, message.body);
    this.#scroller.hold(this.#messages.lastElementChild);
    item.querySelector(".state")?.remove();
    item.classList.remove("pending", "refused");
    item.classList.toggle("mine", this.#isMine(message.user) || item.classList.contains("mine"));
    item.dataset.seq = message.seq;
    showTime(item.querySelector("time"), message.at);
    this.#messages.append(item);
    this.#group(item);
    this.#trim();
    this.#empty.hidden = true;
  }

  // An earlier message has other words now, or none.
  change(seq, body) {
    const item = [...this.#messages.children].find((item) => item.dataset.seq === String(seq));
    if (item && body === undefined) item.remove();
    else if (item) item.querySelector(".body").textContent = body;
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

  #waiting(id) {
    return [...this.#unsent.children].find((item) => item.dataset.id === id);
  }

  #make(user, id, body) {
    const item = this.#pattern.cloneNode(true);
    item.dataset.id = id;
    delete item.dataset.seq;
    item.querySelector(".author").textContent = user.name;
    item.querySelector(".guest").hidden = !user.guest;
    item.querySelector(".body").textContent = body;
    return item;
  }

  #makeUnsent(entry) {
    const item = this.#make(this.you, entry.id, entry.body);
    item.classList.add("mine", "pending");
    item.querySelector("time").textContent = "";
    const state = document.createElement("p");
    state.className = "state soft";
    const edit = document.createElement("button");
    edit.type = "button";
    edit.className = "quiet";
    edit.textContent = "Edit";
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

  #isMine(user) {
    return user.name === this.you.name && user.guest === this.you.guest;
  }

  // `follows`: the same person goes on talking, so the name is not repeated for the eye.
  #group(item) {
    const before = item.previousElementSibling;
    item.classList.toggle("follows", Boolean(before) && sameTurn(before, item));
  }

  #trim() {
    while (this.#messages.children.length > SHOWN) this.#messages.firstElementChild.remove();
    this.#messages.firstElementChild.classList.remove("follows");
  }
}

function sameTurn(before, item) {
  const [one, other] = [before, item].map((item) => ({
    who: item.querySelector(".author").textContent + item.querySelector(".guest").hidden,
    at: new Date(item.querySelector("time").dateTime),
  }));
  return one.who === other.who && other.at - one.at < CLOSE_MS;
}
