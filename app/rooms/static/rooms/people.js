// Who is here, and who is writing.

import { showMark } from "./marks.js";
import { gettext, interpolate, ngettext } from "./words.js";

const LISTED = 100; // the rest are a number
const TYPING_MS = 5_000;

const mark = document.getElementById("message").content.querySelector(".mark");

export class People {
  #panel = document.getElementById("people");
  #list = document.getElementById("members");
  #count = document.getElementById("count");
  #here = document.getElementById("here");

  constructor(you) {
    this.you = you;
  }

  show(members, total) {
    const others = members.slice(0, LISTED).sort((one, other) => one.name.localeCompare(other.name));
    const mine = others.findIndex((member) => member.key === this.you.key);
    if (mine >= 0) others.unshift(...others.splice(mine, 1));
    const items = others.map((member, place) => line(member, mine >= 0 && place === 0, !this.you.guest));
    if (total > items.length) items.push(rest(total - items.length));
    this.#list.replaceChildren(...items);
    this.#count.textContent = total;
    this.#panel.hidden = false;
    this.#stale(false);
  }

  // Without a socket nobody knows who is here.
  age() {
    this.#stale(true);
  }

  #stale(yes) {
    this.#panel.classList.toggle("stale", yes);
    this.#here.textContent = yes ? gettext("were here") : gettext("here");
  }
}

export class Typing {
  #line = document.getElementById("typing");
  #until = new Map(); // a person's key → the timer that ends it

  add(person) {
    clearTimeout(this.#until.get(person.key)?.timer);
    const timer = setTimeout(() => this.remove(person), TYPING_MS);
    this.#until.set(person.key, { name: person.name, timer });
    this.#draw();
  }

  remove(person) {
    clearTimeout(this.#until.get(person.key)?.timer);
    if (this.#until.delete(person.key)) this.#draw();
  }

  #draw() {
    const names = [...this.#until.values()].map(({ name }) => name);
    const said = ["", gettext("%(one)s is typing…"), gettext("%(one)s and %(other)s are typing…")];
    const words = said[names.length] ?? gettext("Several people are typing…");
    this.#line.textContent = interpolate(words, { one: names[0], other: names[1] });
  }
}

function line(member, isYou, canWrite) {
  const item = document.createElement("li");
  const isWritable = !isYou && !member.guest && canWrite;
  const name = document.createElement(isWritable ? "a" : "span");
  name.dir = "auto";
  name.textContent = member.name;
  if (isWritable) {
    name.href = `/direct/?name=${encodeURIComponent(member.name)}`;
    name.title = interpolate(gettext("Write to %(name)s"), { name: member.name });
  }
  item.append(mark.cloneNode(true), name);
  showMark(item, member);
  const note = [isYou && gettext("you"), member.guest && gettext("guest")].filter(Boolean).join(gettext(", "));
  if (note) item.append(" ", soft(note)); // the space keeps a name apart from it for who hears the line
  return item;
}

function rest(number) {
  const item = document.createElement("li");
  item.append(soft(interpolate(ngettext("and %(number)s more", "and %(number)s more", number), { number })));
  return item;
}

function soft(text) {
  const element = document.createElement("span");
  element.className = "soft";
  element.textContent = text;
  return element;
}
