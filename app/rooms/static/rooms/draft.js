// What somebody is writing in a room and has not sent. Kept as the outbox is, per tab and person: over reloads, other pages
// and other accounts it waits for that very person to be back here in this tab.

export class Draft {
  // storage: getItem, setItem and removeItem, or null.
  constructor({ storage, key }) {
    Object.assign(this, { storage, key });
  }

  // What Composer.draft gives, or null.
  get() {
    try {
      return JSON.parse(this.storage?.getItem(this.key) ?? "null");
    } catch {
      return null;
    }
  }

  set(draft) {
    try {
      if (draft) this.storage?.setItem(this.key, JSON.stringify(draft));
      else this.storage?.removeItem(this.key);
    } catch {
      // A full storage costs only what it was for: surviving a reload.
    }
  }
}
