// The form in which people write: what they send goes to the outbox instead of over the page's own POST.

const TYPING_EVERY_MS = 3_000;

export class Composer {
  #form = document.getElementById("say");
  #body = document.getElementById("id_body");
  #trouble = document.getElementById("trouble");
  #button = this.#form.querySelector(".row button");
  #bar = document.getElementById("editing");
  #typedAt = 0;
  #changed = 0; // the number of the message that is being changed
  #kept = "";

  // onSay(body), onChange(seq, body), onRemove(seq), onTyping(), onLast() to change what she has said last, and how many
  // characters a body may have.
  constructor({ limit, onSay, onChange, onRemove, onTyping, onLast }) {
    Object.assign(this, { limit, onSay, onChange, onRemove, onTyping, onLast });
    this.#form.noValidate = true; // an empty message gets the same sentence as without JavaScript
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#body.addEventListener("input", () => this.#input());
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    document.getElementById("remove").addEventListener("click", () => this.#remove());
    document.getElementById("cancel").addEventListener("click", () => this.#stopChanging());
    if (matchMedia("(pointer: fine)").matches) this.#body.focus({ preventScroll: true });
  }

  // A refused message comes back; what is being written stays.
  edit(body) {
    this.#body.value = [body, this.#body.value].filter(Boolean).join("\n");
    this.#body.focus();
  }

  // The form is for another message now; what was being written comes back after it.
  change(seq, body) {
    if (!this.#changed) this.#kept = this.#body.value;
    this.#changed = seq;
    this.#bar.hidden = false;
    this.#button.textContent = "Save";
    this.#body.setAttribute("aria-describedby", "editing-words");
    this.#body.value = body;
    this.warn("");
    this.#body.focus();
  }

  get draft() {
    return this.#changed ? this.#kept : this.#body.value;
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
    if (this.#changed) {
      this.onChange(this.#changed, body);
      return this.#stopChanging();
    }
    this.#body.value = "";
    this.#typedAt = 0;
    this.onSay(body);
  }

  #remove() {
    if (!confirm("Remove this message for everybody?")) return this.#body.focus();
    this.onRemove(this.#changed);
    this.#stopChanging();
  }

  #stopChanging() {
    if (!this.#changed) return;
    this.#changed = 0;
    this.#bar.hidden = true;
    this.#button.textContent = "Send";
    this.#body.removeAttribute("aria-describedby");
    this.#body.value = this.#kept;
    this.warn("");
    this.#body.focus();
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
    if (this.#changed || !this.#body.value.trim() || Date.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = Date.now();
    this.onTyping();
  }

  // Enter sends, Shift+Enter begins a line, the arrow up in an empty box changes what was said last, Escape leaves it;
  // while an input method composes a word, all of them belong to it.
  #key(event) {
    if (event.shiftKey || event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") return this.#stopChanging();
    const isLast = event.key === "ArrowUp" && !this.#changed && !this.#body.value;
    if (event.key !== "Enter" && !isLast) return;
    event.preventDefault();
    if (isLast) this.onLast();
    else this.#form.requestSubmit();
  }
}
