// What was written here and will never be accepted as it is: whoever wrote it decides. Kept per tab, over reloads.

export class Refused {
  // storage: getItem and setItem, or null. onChange() after every change.
  constructor({ storage, key, onChange }) {
    Object.assign(this, { storage, key, onChange });
    this.entries = JSON.parse(storage?.getItem(key) ?? "[]"); // {id, body, refused: a sentence}
  }

  add(entry) {
    this.#become([...this.entries, entry]);
  }

  // Back to its author, who gets it.
  take(id) {
    const taken = this.entries.find((entry) => entry.id === id);
    this.#become(this.entries.filter((entry) => entry !== taken));
    return taken;
  }

  #become(entries) {
    this.entries = entries;
    try {
      this.storage?.setItem(this.key, JSON.stringify(entries));
    } catch {
      // A full storage costs only what it was for: surviving a reload.
    }
    this.onChange();
  }
}
