// One line to the server that comes back by itself, whether it is a socket or a stream of events. It knows dialling,
// silence and farewells, and no frame's meaning but those of `welcome` and `goodbye`.

/** @import { Connect, Dialled, Frame, State } from "./types.js" */

const DIAL_MS = 15_000; // from dialling to the welcome
const BLOCKED_TRIES = 4; // in a row of which none was opened: something on the way lets none through

/**
 * Full jitter: a thousand browsers that lost the same server do not come back in step.
 * @param {number} attempt
 */
export const backOff = (attempt, cap = 30_000) => Math.random() * Math.min(cap, 500 * 2 ** attempt);

/**
 * Whether the same may be taken later.
 * @param {Frame} error
 */
export const isPassing = ({ code }) => ["rate_limited", "unavailable", "somebody_else"].includes(code);

/** What is not dialled yet, since its secret is asked for. @type {Dialled} */
export const NOBODY = { onopen: null, onmessage: null, onclose: null, close() {} };

export class Line {
  /** @type {State} */
  state = { name: "offline" };
  patient = false; // there is another way meanwhile
  /** @type {Dialled | null} */
  #end = null;
  /** @type {any} */
  #timer = 0; // the one deadline there is: to dial again, or to have heard something
  #attempt = 0;
  #unopened = 0; // dials since one was answered
  #welcomedAt = 0;
  #silenceMs = DIAL_MS;
  #ordered = 0; // how long the server told this client to stay away
  #came = globalThis.navigator?.onLine; // false: from this machine

  /**
   * @param {(secret?: string) => Dialled} begin
   * @param {(frame: Frame) => void} onFrame
   * @param {() => void} onState
   * @param {Connect["secret"]} [secret]
   */
  constructor(begin, onFrame, onState, secret) {
    this.begin = begin;
    this.onFrame = onFrame;
    this.onState = onState;
    this.secret = secret;
  }

  // Where there is no network, unless the page has come all the same.
  get #isCut() {
    return this.#came && !navigator.onLine && !this.#ordered;
  }

  get blocked() {
    return this.#unopened >= BLOCKED_TRIES;
  }

  async dial() {
    this.#drop();
    this.#ordered = this.#welcomedAt = 0;
    if (this.#isCut) return this.#enter({ name: "offline" });
    this.#enter({ name: "connecting" });
    this.#expectWithin((this.#silenceMs = DIAL_MS));
    const asking = (this.#end = { ...NOBODY });
    try {
      const secret = this.secret && (await this.secret());
      if (asking !== this.#end) return;
      const end = (this.#end = this.begin(secret));
      this.#unopened++;
      end.onopen = () => (this.#unopened = 0);
      end.onmessage = (event) => this.#hear(end, event.data);
      end.onclose = ({ code }) => this.#closed(code);
    } catch (error) {
      console.warn(error);
      if (asking === this.#end) this.#wait();
    }
  }

  /** @param {object} frame */
  send(frame) {
    if (this.#end?.readyState === 1) this.#end.send?.(JSON.stringify(frame));
  }

  // It cannot be trusted any more: another one goes on where this one stopped. Where there is no network, what waits
  // would dial for nothing.
  redial() {
    if (this.#end || (this.state.until && !this.#ordered)) this.#wait();
  }

  // The network or the person is back: no reason to wait, unless the server asked for it.
  hurry() {
    if (this.state.name === "offline" && !this.#ordered) this.dial();
    if (this.state.name !== "online" || !this.#end?.send) return; // a stream has no ping by which to ask whether it still is
    this.send({ type: "ping" });
    this.#expectWithin(5_000); // as long as a doubtful line has to answer
  }

  // A page that is put aside keeps none: no browser would keep the page.
  rest() {
    this.#drop();
    this.#unopened = this.#ordered = 0;
    this.#enter({ name: "offline" });
  }

  /** @param {number} [code] */
  close(code) {
    this.#drop();
    this.#enter({ name: "closed", code });
  }

  /** @param {Dialled} end @param {string} data */
  #hear(end, data) {
    this.#expectWithin(this.#silenceMs);
    for (const frame of [JSON.parse(data)].flat()) {
      if (end !== this.#end) return; // an earlier frame of the same batch made it redial
      if (frame.type === "welcome") {
        this.#welcomedAt = Date.now();
        this.#expectWithin((this.#silenceMs = 2000 * frame.ping_seconds));
      }
      if (frame.type === "goodbye") this.#ordered = frame.after_ms;
      this.onFrame(frame);
      if (frame.type === "welcome" && end === this.#end) this.#enter({ name: "online" });
    }
  }

  // For good: the same again would be answered the same. A secret that was good has run out: the next may be as good.
  /** @param {number} code */
  #closed(code) {
    const isOver = code >= 4400 && code < 4500 && !(code === 4401 && this.secret && this.#welcomedAt);
    if (isOver) this.close(code);
    else this.#wait();
  }

  #wait() {
    this.#drop();
    // One that lived for ten seconds was a good one: the back-off starts afresh.
    if (this.#welcomedAt && Date.now() - this.#welcomedAt > 10_000) this.#attempt = 0;
    if (this.#isCut) return this.#enter({ name: "offline" });
    const ms = this.#ordered + backOff(this.#attempt++, this.patient ? 120_000 : 30_000);
    this.#timer = setTimeout(() => this.dial(), ms);
    this.#enter({ name: "offline", until: Date.now() + ms, ordered: this.#ordered > 0 });
  }

  /** @param {number} ms */
  #expectWithin(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#silent(), ms);
  }

  // One that was opened and says nothing is as good as none.
  #silent() {
    if (!this.#welcomedAt && this.#end?.onclose) this.#unopened = BLOCKED_TRIES;
    this.redial();
  }

  // Whatever the old one still says is nobody's business: the next one starts from what was seen.
  #drop() {
    clearTimeout(this.#timer);
    if (!this.#end) return;
    this.#end.onopen = this.#end.onmessage = this.#end.onclose = null;
    this.#end.close();
    this.#end = null;
  }

  /** @param {State} state */
  #enter(state) {
    if (this.state.name === "closed") return;
    this.state = state;
    this.onState();
  }
}
