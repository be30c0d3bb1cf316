// One socket that comes back by itself. It knows dialling, silence and farewells, and no frame's meaning but those of
// `welcome` and `goodbye`.

/** @import { Frame, State } from "./types.js" */

const PROTOCOLS = ["topics.v1.batch", "topics.v1"];
const DIAL_MS = 15_000; // from dialling to the welcome
const PROBE_MS = 5_000; // how long a doubtful socket has to answer a ping
const STEADY_MS = 10_000; // a socket that lived this long was a good one: the back-off starts afresh
const BLOCKED_TRIES = 4; // in a row of which none was opened: something on the way lets no socket through

/**
 * Full jitter: a thousand browsers that lost the same server do not come back in step.
 * @param {number} attempt
 */
export const backOff = (attempt, cap = 30_000) => Math.random() * Math.min(cap, 500 * 2 ** attempt);

export class Socket {
  /** @type {State} */
  state = { name: "offline" };
  patient = false; // there is another way meanwhile
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {any} */
  #timer = 0; // the one deadline there is: to dial again, or to have heard something
  #attempt = 0;
  #unopened = 0; // dials since one was answered
  #welcomedAt = 0;
  #silenceMs = DIAL_MS;
  #ordered = 0; // how long the server told this client to stay away

  /**
   * @param {typeof WebSocket} Dialled
   * @param {string} address
   * @param {(frame: Frame) => void} onFrame
   * @param {() => void} onState
   */
  constructor(Dialled, address, onFrame, onState) {
    this.Dialled = Dialled;
    this.address = address;
    this.onFrame = onFrame;
    this.onState = onState;
  }

  get blocked() {
    return this.#unopened >= BLOCKED_TRIES;
  }

  dial() {
    this.#drop();
    this.#ordered = this.#welcomedAt = 0;
    if (globalThis.navigator?.onLine === false) return this.#enter({ name: "offline" });
    this.#enter({ name: "connecting" });
    this.#unopened++;
    this.#expectWithin((this.#silenceMs = DIAL_MS));
    const socket = (this.#socket = new this.Dialled(this.address, PROTOCOLS));
    socket.onopen = () => (this.#unopened = 0);
    socket.onmessage = (event) => this.#hear(socket, event.data);
    socket.onclose = (event) => this.#lose(event.code);
  }

  /** @param {object} frame */
  send(frame) {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(frame));
  }

  // The socket cannot be trusted any more: another one goes on where this one stopped.
  redial() {
    if (this.#socket) this.#wait();
  }

  // The network or the person is back: no reason to wait, unless the server asked for it.
  hurry() {
    if (this.state.name === "offline" && !this.#ordered) this.dial();
    if (this.state.name !== "online") return;
    this.send({ type: "ping" });
    this.#expectWithin(PROBE_MS);
  }

  // A page that is put aside keeps no socket: no browser would keep the page.
  rest() {
    this.#drop();
    this.#unopened = this.#ordered = 0;
    this.#enter({ name: "offline" });
  }

  /** @param {number} [code] */
  close(code) {
    if (this.state.name === "closed") return;
    this.#drop();
    this.#enter({ name: "closed", code });
  }

  /** @param {WebSocket} socket @param {string} data */
  #hear(socket, data) {
    this.#expectWithin(this.#silenceMs);
    for (const frame of [JSON.parse(data)].flat()) {
      if (socket !== this.#socket) return; // an earlier frame of the same batch made it redial
      if (frame.type === "welcome") {
        this.#welcomedAt = Date.now();
        this.#expectWithin((this.#silenceMs = 2000 * frame.ping_seconds));
      }
      if (frame.type === "goodbye") this.#ordered = frame.after_ms;
      this.onFrame(frame);
      if (frame.type === "welcome" && socket === this.#socket) this.#enter({ name: "online" });
    }
  }

  /** @param {number} code */
  #lose(code) {
    if (code >= 4400 && code < 4500) this.close(code);
    else this.#wait();
  }

  #wait() {
    this.#drop();
    if (this.#welcomedAt && Date.now() - this.#welcomedAt > STEADY_MS) this.#attempt = 0;
    if (globalThis.navigator?.onLine === false && !this.#ordered) return this.#enter({ name: "offline" });
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
    if (!this.#welcomedAt) this.#unopened = BLOCKED_TRIES;
    this.redial();
  }

  // Whatever the old socket still says is nobody's business: the next one starts from what was seen.
  #drop() {
    clearTimeout(this.#timer);
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  /** @param {State} state */
  #enter(state) {
    this.state = state;
    this.onState();
  }
}
