// How far this page has seen the room's log: the number of the last message, and the epoch it belongs to.

export class Cursor {
  constructor(epoch, seq) {
    Object.assign(this, { epoch, seq });
  }

  // A welcome that could not go on from here begins anew with the messages it brings.
  restart(welcome) {
    this.epoch = welcome.epoch;
    this.seq = welcome.messages.length ? welcome.messages[0].seq - 1 : welcome.seq;
  }

  // "next": show it. "seen": it came twice. "gap": something between is missing.
  place(seq) {
    if (seq <= this.seq) return "seen";
    if (seq > this.seq + 1) return "gap";
    this.seq = seq;
    return "next";
  }

  get query() {
    return new URLSearchParams({ since: this.seq, epoch: this.epoch });
  }
}
