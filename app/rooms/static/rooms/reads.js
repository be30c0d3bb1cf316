// How far she has read, said to the server: at once, and then as seldom as a room's size asks for. A thousand people who
// look at one room would else make a thousand rows of each message.

const EVERY_MS = 1_000;
const MEMBER_MS = 50; // for each who is there: 20 of them a second, or so many as are said in a room, whichever is less
const LONGEST_MS = 60_000;

export class Reads {
  #waiting = new Map(); // a topic → the number
  #timer = 0;
  #saidAt = 0;
  #busy = false;

  // say(topic, seq): a promise.
  constructor(say) {
    this.say = say;
    addEventListener("pagehide", () => this.#go());
    document.addEventListener("visibilitychange", () => document.hidden && this.#go());
  }

  add(topic, seq, members = 1) {
    this.#waiting.set(topic, seq);
    const share = Math.min(LONGEST_MS, members > 1 ? Math.random() * members * MEMBER_MS : 0);
    this.#timer ||= setTimeout(() => this.#go(), Math.max(share, this.#saidAt + EVERY_MS - Date.now()));
  }

  async #go() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.#busy) return;
    this.#busy = true;
    while (this.#waiting.size) {
      const [topic, seq] = this.#waiting.entries().next().value;
      this.#waiting.delete(topic);
      this.#saidAt = Date.now();
      await this.say(topic, seq).catch(() => {}); // refused: there is no such room any more
    }
    this.#busy = false;
  }
}
