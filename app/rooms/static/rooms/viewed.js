// Which messages were in view, in a page that was looked at.

export class Viewed {
  #now = new Set(); // those in view
  #seen = new IntersectionObserver((entries) => this.#look(entries));

  // items: the list to which messages are added. onRead(seq): the last one that has been seen.
  constructor({ items, onRead }) {
    this.onRead = onRead;
    for (const item of items.children) this.#seen.observe(item);
    new MutationObserver((changes) => this.#follow(changes)).observe(items, { childList: true });
    document.addEventListener("visibilitychange", () => this.#tell());
  }

  #follow(changes) {
    for (const { addedNodes, removedNodes } of changes) {
      for (const item of elements(removedNodes)) if (!item.isConnected) this.#forget(item);
      for (const item of elements(addedNodes)) if (item.isConnected) this.#seen.observe(item);
    }
  }

  #forget(item) {
    this.#seen.unobserve(item);
    this.#now.delete(item);
  }

  #look(entries) {
    for (const { target, isIntersecting } of entries) this.#now[isIntersecting ? "add" : "delete"](target);
    this.#tell();
  }

  #tell() {
    if (document.hidden || !this.#now.size) return;
    this.onRead(Math.max(...[...this.#now].map((item) => Number(item.dataset.seq))));
  }
}

// Without the white space that the server has written between them.
const elements = (nodes) => [...nodes].filter((node) => node instanceof Element);
