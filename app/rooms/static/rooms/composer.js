// The form in which people write: what they send goes to the outbox instead of over the page's own POST.

const TYPING_EVERY_MS = 3_000;

export class Composer {
  #form = document.getElementById("say");
  #body = document.getElementById("id_body");
  #trouble = document.getElementById("trouble");
  #button = this.#form.querySelector(".row button");
  #bar = document.getElementById("editing");
  #typedAt = 0;
  #changed = null; // the message that is being changed: its number, and its body as it is
  #kept = "";

  // onSay(body), onChange(seq, body), onRemove(seq), onTyping(), onLast() to change what she has said last, onDraft() when
  // what is unsent here has changed, and how many characters a body may have.
  constructor({ limit, onSay, onChange, onRemove, onTyping, onLast, onDraft }) {
    Object.assign(this, { limit, onSay, onChange, onRemove, onTyping, onLast, onDraft });
    this.#form.noValidate = true; // an empty message gets the same sentence as without JavaScript
    this.#form.autocomplete = "off"; // a reload brings back the draft, and not what the browser remembers as well
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#body.addEventListener("input", () => this.#input());
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    document.getElementById("remove").addEventListener("click", () => this.#remove());
    document.getElementById("cancel").addEventListener("click", () => this.#stopChanging());
    if (matchMedia("(pointer: fine)").matches) this.#body.focus({ preventScroll: true });
  }

  // A refused message comes back; what is being written stays.
  edit(body) {
    this.#put([body, this.#body.value].filter(Boolean).join("\n"));
    this.#body.focus();
  }

  // The form is for another message now; what was being written comes back after it.
  change(seq, body) {
    if (!this.#changed) this.#kept = this.#body.value;
    this.#begin({ seq, body });
    this.#put(body);
    this.#body.focus();
  }

  // What is written here and not sent, or null: a message, and beside it other words for an earlier one.
  get draft() {
    const words = this.#body.value;
    const body = this.#changed ? this.#kept : words;
    const change = this.#changed && words !== this.#changed.body ? { ...this.#changed, words } : undefined;
    return body.trim() || change ? { body, change } : null;
  }

  // As it was left. What the server has brought back into the form stays.
  restore({ body, change }) {
    this.#put([body, this.#body.value].filter(Boolean).join("\n"));
    if (!change) return;
    this.#kept = this.#body.value;
    this.#begin(change);
    this.#put(change.words);
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
      this.onChange(this.#changed.seq, body);
      return this.#stopChanging();
    }
    this.#put("");
    this.#typedAt = 0;
    this.onSay(body);
  }

  #remove() {
    if (!confirm("Remove this message for everybody?")) return this.#body.focus();
    this.onRemove(this.#changed.seq);
    this.#stopChanging();
  }

  #begin({ seq, body }) {
    this.#changed = { seq, body };
    this.#bar.hidden = false;
    this.#button.textContent = "Save";
    this.#body.setAttribute("aria-describedby", "editing-words");
    this.warn("");
  }

  #stopChanging() {
    if (!this.#changed) return;
    this.#changed = null;
    this.#bar.hidden = true;
    this.#button.textContent = "Send";
    this.#body.removeAttribute("aria-describedby");
    this.#put(this.#kept);
    this.warn("");
    this.#body.focus();
  }

  #put(words) {
    this.#body.value = words;
    this.onDraft();
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
    this.onDraft();
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
