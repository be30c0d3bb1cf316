// What the browser makes of bodies and keys: JSON comes in, HTML and marks go out.

import { readFileSync } from "node:fs";
import { showMark } from "../../../app/rooms/static/rooms/marks.js";
import { showMarkup } from "../../../app/rooms/static/rooms/markup.js";

const NAMES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };
const escape = (text) => text.replace(/[&<>"']/g, (character) => NAMES[character]);

class Element {
  constructor(tag) {
    Object.assign(this, { tag, kept: {}, drawn: "" });
    this.classList = { list: ["hue-3"], add: (name) => this.classList.list.push(name), remove: (gone) => this.#without(gone) };
    this.classList[Symbol.iterator] = () => this.classList.list[Symbol.iterator]();
  }
  #without(gone) {
    this.classList.list = this.classList.list.filter((name) => name !== gone);
  }
  setAttribute(name, value) {
    this.kept[name] = value;
  }
  querySelector() {
    return this;
  }
  replaceChildren(...children) {
    this.children = children;
  }
  get html() {
    const attributes = { ...this.kept, class: this.className, target: this.target, rel: this.rel };
    const shown = Object.entries(attributes).filter(([, value]) => value !== undefined);
    const words = shown.map(([name, value]) => ` ${name}="${escape(value)}"`).join("");
    return `<${this.tag}${words}>${escape(this.textContent)}</${this.tag}>`;
  }
}

globalThis.document = { createElement: (tag) => new Element(tag) };

const { bodies, keys } = JSON.parse(readFileSync(0, "utf8"));
const drawn = bodies.map((body) => {
  const element = new Element("p");
  showMarkup(element, body);
  return element.children.map((piece) => (typeof piece === "string" ? escape(piece) : piece.html)).join("");
});
const marks = keys.map((key) => {
  const element = new Element("li");
  showMark(element, { key });
  return [element.classList.list.join(" "), element.kept.d];
});
console.log(JSON.stringify({ drawn, marks }));
