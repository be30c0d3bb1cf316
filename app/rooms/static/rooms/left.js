// How far the person has read here, in this browser, and the line above what has come since.

import { gettext } from "./words.js";

export class Left {
  #storage = lasting();
  #line = document.createElement("p");
  #seen;
  #shown = false;
  #from; // the line stands above what came after that

  constructor(key) {
    this.key = key;
    this.#line.className = "left";
    this.#line.textContent = gettext("New since you left");
    this.#from = this.#seen = this.#stored;
  }

  see(seq) {
    if (seq <= this.#seen) return;
    this.#seen = seq;
    try {
      this.#storage?.setItem(this.key, Math.max(seq, this.#stored));
    } catch {
      // A full storage costs only the line.
    }
  }

  // Nobody looks any more: what comes now is new.
  go() {
    this.#from = this.#seen;
    this.#shown = false;
  }

  // Above the first one of others that is new, once that is here. `first`: the number from which all is here.
  show(items, first) {
    if (this.#shown || !this.#from || (this.#from < first - 1 && !document.hidden)) return;
    const item = [...items].find((item) => Number(item.dataset.seq) > this.#from && !item.matches(".mine"));
    item?.querySelector(".day").after(this.#line);
    this.#shown = Boolean(item);
  }

  get #stored() {
    try {
      return Number(this.#storage?.getItem(this.key) ?? 0);
    } catch {
      return 0;
    }
  }
}

function lasting() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
