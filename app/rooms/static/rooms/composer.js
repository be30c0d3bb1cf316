// The form in which people write: what they send goes to the outbox instead of over the page's own POST.

import { Attaching } from "./attaching.js";
import { gettext, interpolate } from "./words.js";

const TYPING_EVERY_MS = 3_000;

export class Composer {
  #form = document.getElementById("say");
  #body = document.getElementById("id_body");
  #trouble = document.getElementById("trouble");
  #button = this.#form.querySelector(".row button:not(.attach)");
  #bar = document.getElementById("editing");
  #typedAt = 0;
  #changed = null; // the message that is being changed: its number, and its body as it is
  #kept = "";
  #attaching;
  #sending = document.getElementById("sending"); // shown where a message waits for its files
  #answering = document.getElementById("answering");
  #answered = Number(this.#answering.querySelector("input")?.value ?? 0); // the number of the message that is answered

  // onSay({ body, reply, files }), onChange(seq, body), onRemove(seq), onTyping(), onLast() to change what she has said last,
  // onDraft() when what is unsent here has changed, quote(seq) for the element that shows a message that is answered, and
  // how many characters a body may have; files: how many a message may have, and of how many bytes.
  constructor({ limit, files, onSay, onChange, onRemove, onTyping, onLast, onDraft, quote }) {
    Object.assign(this, { limit, onSay, onChange, onRemove, onTyping, onLast, onDraft, quote });
    this.#attaching = new Attaching({
      form: this.#form,
      ...files,
      onChange: () => this.#attached(),
      onTrouble: (sentence) => this.warn(sentence),
    });
    this.#form.noValidate = true; // an empty message gets the same sentence as without JavaScript
    this.#form.autocomplete = "off"; // a reload brings back the draft, and not what the browser remembers as well
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#body.addEventListener("input", () => this.#input());
    this.#body.addEventListener("keydown", (event) => this.#key(event));
    document.getElementById("remove").addEventListener("click", () => this.#remove());
    document.getElementById("cancel").addEventListener("click", () => this.#stopChanging());
    document.getElementById("unanswer").addEventListener("click", (event) => this.#unanswer(event));
    this.#describe();
    if (matchMedia("(pointer: fine)").matches) this.#body.focus({ preventScroll: true });
  }

  // A refused message comes back; what is being written stays.
  edit({ body, reply, files }) {
    this.#attaching.restore(this.describe(files));
    if (reply && !this.#answered) this.#answer(reply);
    this.#put([body, this.#body.value].filter(Boolean).join("\n"));
    this.#body.focus();
  }

  // What is written answers the message of that number.
  answer(seq) {
    this.#stopChanging();
    this.#answer(seq);
    this.onDraft();
    this.#body.focus();
  }

  // The form is for another message now; what was being written comes back after it.
  change(seq, body) {
    if (!this.#changed) this.#kept = this.#body.value;
    this.#begin({ seq, body });
    this.#put(body);
    this.#body.focus();
  }

  // What is known of the files of these ids.
  describe(ids) {
    return this.#attaching.describe(ids);
  }

  // What is written here and not sent, or null: a message, and beside it other words for an earlier one.
  get draft() {
    const words = this.#body.value;
    const body = this.#changed ? this.#kept : words;
    const change = this.#changed && words !== this.#changed.body ? { ...this.#changed, words } : undefined;
    const files = this.#attaching.files;
    const isAny = body.trim() || change || this.#attaching.count;
    return isAny ? { body, reply: this.#answered || undefined, change, files: files.length ? files : undefined } : null;
  }

  // As it was left. What the server has brought back into the form stays.
  restore({ body, reply, change, files = [] }) {
    this.#attaching.restore(files);
    if (reply && !this.#answered) this.#answer(reply);
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
    this.#sending?.toggleAttribute("hidden", !this.#attaching.busy);
    if (this.#attaching.busy) return;
    const files = this.#attaching.count ? this.#attaching.take() : undefined;
    const reply = this.#answered || undefined;
    this.#answer(0);
    this.#put("");
    this.#typedAt = 0;
    this.onSay({ body, reply, files });
  }

  // A file has come, or was taken back. What somebody wanted to send with it goes now.
  #attached() {
    this.onDraft();
    if (this.#sending?.hidden !== false || this.#attaching.busy) return;
    this.#sending.hidden = true;
    this.#form.requestSubmit();
  }

  #remove() {
    if (!confirm(gettext("Remove this message for everybody?"))) return this.#body.focus();
    this.onRemove(this.#changed.seq);
    this.#stopChanging();
  }

  #begin({ seq, body }) {
    this.#changed = { seq, body };
    this.#button.textContent = gettext("Save");
    this.#describe();
    this.warn("");
  }

  #stopChanging() {
    if (!this.#changed) return;
    this.#changed = null;
    this.#button.textContent = gettext("Send");
    this.#describe();
    this.#put(this.#kept);
    this.warn("");
    this.#body.focus();
  }

  // No message, where seq is 0.
  #answer(seq) {
    this.#answered = seq;
    this.#answering.firstElementChild.replaceChildren(...(seq ? [this.quote(seq)] : []));
    this.#describe();
  }

  #unanswer(event) {
    event?.preventDefault();
    this.#answer(0);
    this.onDraft();
    this.#body.focus();
  }

  // What the form is for, above it and for a screen reader.
  #describe() {
    this.#bar.hidden = !this.#changed;
    this.#answering.hidden = !this.#answered || Boolean(this.#changed);
    const words = this.#changed ? "editing-words" : this.#answered ? "answering-words" : "";
    if (words) this.#body.setAttribute("aria-describedby", words);
    else this.#body.removeAttribute("aria-describedby");
  }

  #put(words) {
    this.#body.value = words;
    this.onDraft();
  }

  // Characters as the server counts them: an emoji is one, not two.
  #fault(body) {
    const length = [...body].length;
    if (length === 0 && (this.#changed || !this.#attaching.count)) return gettext("Write something first.");
    if (length > this.limit) return tooLong({ length, limit: this.limit });
    if (body.includes("\0")) return gettext("This text has a character that cannot be stored.");
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
    if (event.key === "Escape") return this.#changed ? this.#stopChanging() : this.#answered && this.#unanswer();
    const isLast = event.key === "ArrowUp" && !this.#changed && !this.#body.value;
    if (event.key !== "Enter" && !isLast) return;
    event.preventDefault();
    if (isLast) this.onLast();
    else this.#form.requestSubmit();
  }
}

function tooLong(numbers) {
  return interpolate(gettext("That is %(length)s characters. A message has at most %(limit)s."), numbers);
}
