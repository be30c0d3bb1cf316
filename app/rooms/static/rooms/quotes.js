// What messages answer: whose words, and the first of them as they are by now. Mostly they are on the page; others are
// asked for, one part of the log at a time.

import { called } from "./message.js";
import { gettext } from "./words.js";

const WORDS = 120; // characters of the first words, as in rooms/quotes.py
const AT_ONCE = 50;
const GONE = gettext("Message removed");

const pattern = document.getElementById("quote").content.firstElementChild;

export class Quotes {
  #wanted = new Set();
  #busy = false;

  // url: where the log is asked for. messages: the list of what is here.
  constructor({ url, messages }) {
    Object.assign(this, { url, messages });
  }

  make(seq) {
    const quote = pattern.cloneNode(true);
    quote.dataset.seq = seq;
    quote.href = `?at=${seq}#m${seq}`;
    const item = this.find(seq);
    if (item) show(quote, read(item));
    else this.#want(seq);
    return quote;
  }

  find(seq) {
    return this.messages.querySelector(`li[data-seq="${seq}"]`);
  }

  // An earlier message has other words now, or none: those who quote it have, too.
  change({ about, data, retracted }) {
    this.#show(about, { body: said(data), retracted });
  }

  rename(seq, name) {
    for (const author of document.querySelectorAll(`.quote[data-seq="${seq}"] b`)) author.textContent = called(name);
  }

  #show(seq, said) {
    for (const quote of document.querySelectorAll(`.quote[data-seq="${seq}"]`)) show(quote, said);
  }

  #want(seq) {
    this.#wanted.add(seq);
    if (!this.#busy) setTimeout(() => this.#ask());
  }

  // Where the line is cut, the words are missing and the link leads there all the same.
  async #ask() {
    if (this.#busy || !this.#wanted.size) return;
    this.#busy = true;
    const first = Math.min(...this.#wanted);
    this.#wanted.delete(first);
    try {
      const query = `?after=${first - 1}&limit=${AT_ONCE}`;
      const answer = await fetch(this.url + query, { headers: { Accept: "application/json" } });
      for (const event of answer.ok ? (await answer.json()).events : []) this.#hear(event);
    } catch {
      this.#wanted.clear();
    }
    this.#busy = false;
    this.#ask();
  }

  #hear({ type, seq, by, data, retracted }) {
    if (type !== "event") return;
    this.#wanted.delete(seq);
    this.#show(seq, { author: called(by?.name ?? ""), body: said(data), retracted });
  }
}

function read(item) {
  const [author, body] = [".author", ".body"].map((part) => item.querySelector(part).textContent);
  const files = [...item.querySelectorAll(".files img, .file span")].map((file) => file.alt ?? file.textContent);
  return { author, body: body || files[0], retracted: item.classList.contains("gone") };
}

const said = (data) => data?.body || data?.files?.map(({ name }) => name).join(" ");

// Without an author it is who it was.
function show(quote, { author, body, retracted }) {
  const words = [...String(body ?? "").trim().split(/\s+/).join(" ")].slice(0, WORDS).join("");
  const name = quote.querySelector("b");
  name.textContent = retracted ? "" : (author ?? name.textContent);
  quote.lastElementChild.textContent = retracted ? GONE : words;
  quote.classList.toggle("gone-by", Boolean(retracted));
}
