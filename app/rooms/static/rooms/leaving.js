// The browser asks before it closes a tab in which something is unsent, for that is kept per tab. On the way to another
// page of this site it does not: there it waits, and is here again when she comes back.

const WITHIN_MS = 1_000; // from a click to the moment at which the browser would ask

export class Leaving {
  #keeps;
  #goneAt = 0;
  #ask = (event) => Date.now() - this.#goneAt < WITHIN_MS || event.preventDefault();

  // keeps: whether this tab keeps what is unsent.
  constructor({ keeps }) {
    this.#keeps = keeps;
    addEventListener("click", (event) => leads(event) && this.go());
    addEventListener("submit", (event) => event.defaultPrevented || this.go());
  }

  // Only while it is needed: with such a listener some browsers do not keep a page to come back to.
  ask(yes) {
    if (yes) addEventListener("beforeunload", this.#ask);
    else removeEventListener("beforeunload", this.#ask);
  }

  // To another page of this site.
  go() {
    if (this.#keeps) this.#goneAt = Date.now();
  }
}

// Whether the click takes this tab to another page of this site.
function leads(event) {
  const link = event.target.closest("a[href]");
  const isElsewhere = event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  return link && !isElsewhere && !link.target && link.origin === location.origin;
}
