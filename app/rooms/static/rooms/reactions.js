// The signs that people put on messages: beneath each, put there and taken back by a click or the keyboard. What of that
// is not stored yet is shown all the same, marked as waiting.

import { interpolate, ngettext } from "./words.js";

const TOKEN = /.{4}/gs; // of those whose names are not told, as rooms/reactions.py makes them

export class Reactions {
  #stored = new WeakMap(); // by message: its signs as the log has them
  #waiting = new Map(); // by number of a message: emoji, and whether it is to be there
  #picker = document.getElementById("picker").content.firstElementChild.cloneNode(true);
  #opener;

  // you(): who reads here. onReact(seq, emoji, on): she puts a sign there, or takes it back.
  constructor({ you, messages, onReact }) {
    Object.assign(this, { you, messages, onReact });
    messages.addEventListener("click", (event) => this.#click(event));
    this.#picker.addEventListener("keydown", (event) => event.key === "Escape" && this.#close());
    this.#picker.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !this.#picker.contains(relatedTarget)) this.#picker.remove();
    });
  }

  // The message has these from now on, as its data has them.
  show(item, reactions) {
    const { key } = this.you();
    const signs = (Array.isArray(reactions) ? reactions : []).map(({ emoji, count, by = [], rest = "" }) => {
      const names = by.map(({ name }) => name);
      if (count > names.length) names.push(others(count - names.length));
      const mine = by.some((who) => who.key === key) || (rest.match(TOKEN) ?? []).includes(token(key));
      return { emoji, count, mine, names: names.join(", ") };
    });
    this.#stored.set(item, signs);
    this.#draw(item);
  }

  // What waits in the outbox: its data, in order.
  unsent(waiting) {
    const before = this.#waiting;
    this.#waiting = new Map();
    for (const { about, react, on } of waiting) {
      this.#waiting.set(about, new Map(this.#waiting.get(about)).set(react, on));
    }
    for (const seq of new Set([...before.keys(), ...this.#waiting.keys()])) {
      const item = this.messages.querySelector(`li[data-seq="${seq}"]`);
      if (item) this.#draw(item);
    }
  }

  #click(event) {
    const button = event.target.closest(".sign, .react");
    if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const item = button.closest("li");
    if (button.matches(".react")) return this.#open(button, item);
    this.onReact(Number(item.dataset.seq), button.value, button.ariaPressed !== "true");
    if (this.#picker.contains(button)) this.#close();
  }

  #open(link, item) {
    if (this.#picker.isConnected && this.#opener === link) return this.#close();
    this.#opener = link;
    const signs = this.#signs(item);
    for (const button of this.#picker.children) {
      button.ariaPressed = String(signs.some(({ emoji, mine }) => emoji === button.value && mine));
    }
    item.querySelector(".reactions").before(this.#picker);
    this.#picker.scrollIntoView({ block: "nearest" });
    this.#picker.firstElementChild.focus();
  }

  #close() {
    this.#opener.focus();
    this.#picker.remove();
  }

  // As they will be once everything is stored.
  #signs(item) {
    const stored = this.#stored.get(item) ?? read(item);
    this.#stored.set(item, stored);
    const signs = new Map(stored.map((sign) => [sign.emoji, sign]));
    for (const [emoji, on] of this.#waiting.get(Number(item.dataset.seq)) ?? []) {
      const { count = 0, mine = false, names = "" } = signs.get(emoji) ?? {};
      const change = Number(on) - Number(mine);
      if (change) signs.set(emoji, { emoji, count: count + change, mine: on, names: names || this.you().name, waits: true });
    }
    return [...signs.values()].filter(({ count }) => count > 0);
  }

  // Buttons that are there stay, and keep the focus.
  #draw(item) {
    const box = item.querySelector(".reactions");
    const there = new Map([...box.children].map((button) => [button.value, button]));
    const signs = this.#signs(item);
    const buttons = signs.map((sign) => put(there.get(sign.emoji) ?? make(item), sign));
    for (const button of there.values()) if (!buttons.includes(button)) button.remove();
    for (const button of buttons) if (!button.isConnected || button.parentElement !== box) box.append(button);
    box.hidden = !buttons.length;
  }
}

// What the server has put on the page.
function read(item) {
  return [...item.querySelectorAll(".reactions .sign")].map((button) => ({
    emoji: button.value,
    count: Number(button.dataset.count),
    mine: button.ariaPressed === "true",
    names: button.title,
  }));
}

function make(item) {
  const button = document.createElement("button");
  button.className = "sign";
  button.setAttribute("form", "react");
  button.formAction = `${item.dataset.seq}/react/`;
  button.name = "emoji";
  return button;
}

function put(button, { emoji, count, mine, names, waits }) {
  button.value = emoji;
  button.dataset.count = count;
  button.textContent = `${emoji} ${count}`;
  button.title = names;
  button.ariaLabel = `${emoji} ${names}`;
  button.ariaPressed = String(mine);
  button.classList.toggle("waits", Boolean(waits));
  return button;
}

const others = (count) => interpolate(ngettext("%(count)s more", "%(count)s more", count), { count });

const token = (key) => btoa(String.fromCharCode(...key.slice(0, 6).match(/../g).map((byte) => parseInt(byte, 16))));
