// The form in which people write: what they send goes to the outbox instead of over the page's own POST.

const TYPING_EVERY_MS = 3_000;

export class Composer {
  #form = document.getElementById("say");
  #body = document.getElementById("id_body");
  #trouble = document.getElementById("trouble");
  #typedAt = 0;

  // onSay(body), onTyping(), and how many characters a body may have.
  constructor({ limit, onSay, onTyping }) {
    Object.assign(this, { limit, onSay, onTyping });
    this.#form.noValidate = true; // an empty message gets the same sentence as without JavaScript
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#body.addEventListener("input", () => this.#input());
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    if (matchMedia("(pointer: fine)").matches) this.#body.focus({ preventScroll: true });
  }

  // A refused message comes back; what is being written stays.
  edit(body) {
    this.#body.value = [body, this.#body.value].filter(Boolean).join("\n");
    this.#body.focus();
  }

  get draft() {
    return this.#body.value;
  }

  // Also for the browser, which brings back after a reload what a field held.
  clear() {
    this.#body.value = "";
  }

  warn(sentence) {
    this.#trouble.textContent = sentence;
    this.#body.setAttribute("aria-invalid", Boolean(sentence));
  }

  #submit(event) {
    event.preventDefault();
    const body = this.#body.value.trim();
    const fault = this.#fault(body);
    this.warn(fault);
    this.#body.focus();
    if (fault) return;
    this.#body.value = "";
    this.#typedAt = 0;
    this.onSay(body);
  }

  // Characters as the server counts them: an emoji is one, not two.
  #fault(body) {
    const length = [...body].length;
    if (length === 0) return "Write something first.";
    if (length > this.limit) return `That is ${length} characters. A message has at most ${this.limit}.`;
    if (body.includes("\0")) return "This text has a character that cannot be stored.";
    return "";
  }

  #input() {
    if (this.#trouble.textContent) this.warn("");
    if (!this.#body.value.trim() || Date.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = Date.now();
    this.onTyping();
  }

  // Enter sends, Shift+Enter begins a line; while an input method composes a word, Enter belongs to it.
  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }
}
