// Keeping order, as the room's page sees it: what can be done about a message, in a dialog that is the inner side of a
// page of its own; what is in force in the room; and where a room has gone that has another name.

import { hide } from "./hushed.js";
import { gettext, interpolate, ngettext } from "./words.js";

const FAILED = gettext("This could not be done just now: try again.");

export class Order {
  #box = document.createElement("dialog");
  #standing = document.getElementById("standing");

  constructor() {
    this.#box.className = "about-box";
    this.#box.setAttribute("aria-label", gettext("About this message"));
    document.getElementById("room").append(this.#box);
    document.getElementById("messages").addEventListener("click", (event) => this.#click(event));
    this.#box.addEventListener("submit", (event) => this.#submit(event));
    this.#box.addEventListener("click", (event) => event.target === this.#box && this.#box.close());
  }

  // Of everybody: nobody may write any more, or not as often.
  show({ read_only, slow_seconds: seconds }) {
    const slowly = ngettext("Slow mode: one message every %(seconds)s second", "Slow mode: one message every %(seconds)s seconds", seconds);
    const slow = seconds ? interpolate(slowly, { seconds }) : "";
    this.#standing.textContent = read_only ? gettext("Nobody may write in this room any more.") : slow;
    this.#standing.hidden = !this.#standing.textContent;
  }

  #click(event) {
    const link = event.target.closest(".more");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#ask(`${link.href}?part`, {});
  }

  #submit(event) {
    event.preventDefault();
    this.#ask(`${event.target.action}?part`, { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
  }

  async #ask(address, asked) {
    try {
      const answer = await fetch(address, asked);
      if (answer.status >= 500 || answer.redirected) throw new Error(answer.statusText);
      this.#fill(await answer.text());
    } catch {
      const told = document.createElement("p");
      told.setAttribute("role", "alert");
      told.textContent = FAILED;
      this.#box.append(told);
    }
    if (!this.#box.open) this.#box.showModal();
  }

  // A browser's own parser, in a document of its own, where nothing runs.
  #fill(text) {
    const part = new DOMParser().parseFromString(text, "text/html").querySelector(".about, main");
    const close = document.createElement("button");
    close.className = "quiet";
    close.textContent = gettext("Close");
    close.addEventListener("click", () => this.#box.close());
    this.#box.replaceChildren(part, close);
    if (part.dataset.hidden !== undefined) hide(part.dataset.hidden);
    if (part.querySelector("[role=status]")) close.focus();
    else part.querySelector(".errorlist")?.closest("form").querySelector("input[name=reason]")?.focus();
  }
}

// The room is not there any more. Where its address leads to another one, that is the same under another name: the page
// goes there, and what is unsent goes along.
export async function follow({ key, room }, storage, onLeave) {
  const answer = await fetch(location.pathname).catch(() => null);
  if (!answer?.redirected || !answer.ok) return false;
  const [, name] = /\/room\/([^/]+)\/$/.exec(new URL(answer.url).pathname) ?? [];
  if (!name) return false;
  const to = decodeURIComponent(name);
  for (const kind of ["draft", "refused"]) {
    const kept = storage?.getItem(`${kind}:${key}:${room}`);
    if (kept) storage.setItem(`${kind}:${key}:${to}`, kept);
  }
  onLeave();
  const outbox = JSON.parse(storage?.getItem(`topics:${key}`) ?? "[]");
  const moved = outbox.map((entry) => (entry.topic === `room/${room}` ? { ...entry, topic: `room/${to}` } : entry));
  if (moved.length) storage.setItem(`topics:${key}`, JSON.stringify(moved));
  location.replace(answer.url);
  return true;
}
