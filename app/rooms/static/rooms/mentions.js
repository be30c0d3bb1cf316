// Whoever writes `@` is offered the people who are here, and who wrote lately: a listbox that belongs to the message's box,
// which keeps the focus. What goes with the message are keys, as rooms/mentions.py has them: two guests may have one name.

import { withoutCode } from "./markup.js";

const MOST = 10; // in a message
const OFFERED = 8;
const BEGUN = /(?<![\p{L}\p{N}_.+-])@([^\n@]{0,40})$/u;
const GOES_ON = /^[\p{L}\p{N}_]/u;

export class Mentions {
  #box = document.getElementById("id_body");
  #list = document.getElementById("mentions");
  #offered = [];
  #at = 0; // the place of the one that Enter takes
  #picked = new Map(); // a key → the name

  // people(): {key, name} of all who may be meant.
  constructor({ people }) {
    this.people = people;
    this.#box.addEventListener("input", () => this.#look());
    this.#box.addEventListener("keydown", (event) => this.#key(event), { capture: true });
    this.#box.addEventListener("blur", () => this.#close());
    this.#list.addEventListener("mousedown", (event) => this.#point(event));
  }

  // The keys of those who are mentioned, or undefined. Of two who are called the same, whoever was picked.
  of(body) {
    const text = withoutCode(body);
    const found = [...this.#picked].filter(([, name]) => names(text, name));
    const taken = new Set(found.map(([, name]) => name));
    const others = this.people().filter(({ name }) => !taken.has(name) && names(text, name));
    for (const { key, name } of others) {
      if (others.filter((other) => other.name === name).length === 1) found.push([key, name]);
    }
    const keys = [...new Set(found.map(([key]) => key))].slice(0, MOST);
    return keys.length ? keys : undefined;
  }

  #look() {
    const begun = this.#begun;
    const start = begun?.toLocaleLowerCase();
    this.#offered = begun === undefined ? [] : this.people().filter(({ name }) => name.toLocaleLowerCase().startsWith(start));
    this.#offered = this.#offered.slice(0, OFFERED);
    if (this.#offered.length === 1 && this.#offered[0].name === begun) this.#offered = [];
    this.#at = 0;
    this.#show();
  }

  // What has been typed of a name.
  get #begun() {
    const { selectionStart, selectionEnd, value } = this.#box;
    return selectionStart === selectionEnd ? BEGUN.exec(value.slice(0, selectionStart))?.[1] : undefined;
  }

  #show() {
    const isOpen = this.#offered.length > 0;
    this.#list.replaceChildren(...this.#offered.map(({ name }, place) => option(name, place, place === this.#at)));
    this.#list.hidden = !isOpen;
    if (isOpen) this.#box.setAttribute("aria-activedescendant", `mention-${this.#at}`);
    else this.#box.removeAttribute("aria-activedescendant");
  }

  #close() {
    this.#offered = [];
    this.#show();
  }

  // Before the form hears of it.
  #key(event) {
    if (!this.#offered.length || event.isComposing || event.keyCode === 229 || event.shiftKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#at = (this.#at + step + this.#offered.length) % this.#offered.length;
    else if (event.key === "Enter" || event.key === "Tab") this.#pick(this.#offered[this.#at]);
    else if (event.key === "Escape") this.#offered = [];
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.#show();
  }

  #point(event) {
    event.preventDefault(); // the focus stays in the box
    const place = [...this.#list.children].indexOf(event.target.closest("li"));
    if (place >= 0) this.#pick(this.#offered[place]);
    this.#show();
  }

  #pick({ key, name }) {
    const end = this.#box.selectionStart;
    this.#box.setRangeText(`${name} `, end - this.#begun.length, end, "end");
    this.#picked.set(key, name);
    this.#offered = [];
    this.#box.dispatchEvent(new Event("input", { bubbles: true })); // the draft is kept, as of what is typed
  }
}

function option(name, place, isTaken) {
  const item = document.createElement("li");
  item.id = `mention-${place}`;
  item.role = "option";
  item.ariaSelected = String(isTaken);
  item.dir = "auto";
  item.textContent = name;
  return item;
}

// Whether the text has `@name`, and not a longer word that begins so.
function names(text, name) {
  for (let at = text.indexOf(`@${name}`); at >= 0; at = text.indexOf(`@${name}`, at + 1)) {
    const isFree = !/[\p{L}\p{N}_.+-]$/u.test(text.slice(0, at));
    if (isFree && !GOES_ON.test(text.slice(at + name.length + 1))) return true;
  }
  return false;
}
