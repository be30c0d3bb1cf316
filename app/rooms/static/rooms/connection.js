// One socket that comes back by itself. It knows dialling, silence and farewells, and no frame's meaning
// but those of `welcome` and `goodbye`.

const PROTOCOLS = ["rooms.v1.batch", "rooms.v1"];
const BASE_MS = 500;
const CAP_MS = 30_000;
const DIAL_MS = 15_000; // from dialling to the welcome
const PROBE_MS = 5_000; // how long a doubtful socket has to answer a ping
const BLOCKED_TRIES = 6; // in a row of which none was opened: something on the way lets no socket through
const BLOCKED_CAP_MS = 120_000;
const STEADY_MS = 10_000; // a socket that lived this long was a good one: the back-off starts afresh

// Full jitter: a thousand browsers that lost the same server do not come back in step.
export function backOff(attempt, random = Math.random, cap = CAP_MS) {
  return random() * Math.min(cap, BASE_MS * 2 ** attempt);
}

export class Connection {
  #socket = null;
  #timer = 0; // the one deadline there is: to dial again, or to have heard something
  #attempt = 0;
  #unopened = 0; // dials since one was answered
  #welcomedAt = 0;
  #silenceMs = DIAL_MS;
  #ordered = null; // how long the server told this client to stay away

  // address(): where to dial, asked each time. onFrame(frame): one object at a time.
  // onState({name, …}): connecting, live, waiting (until: when it dials again, ordered: by the server; or offline:
  // until the network is back) or closed (code). blocked: many tries have not got through.
  constructor({ address, onFrame, onState }) {
    Object.assign(this, { address, onFrame, onState, state: { name: "none" } });
  }

  dial() {
    this.#drop();
    this.#ordered = null;
    this.#welcomedAt = 0;
    this.#silenceMs = DIAL_MS;
    if (!navigator.onLine) return this.#rest();
    this.#enter({ name: "connecting", blocked: this.blocked });
    this.#unopened++;
    this.#expectWithin(DIAL_MS);
    const socket = (this.#socket = new WebSocket(this.address(), PROTOCOLS));
    socket.onopen = () => (this.#unopened = 0);
    socket.onmessage = (event) => this.#hear(socket, event.data);
    socket.onclose = (event) => this.#lose(event.code);
  }

  get blocked() {
    return this.#unopened >= BLOCKED_TRIES;
  }

  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  // The socket cannot be trusted any more: another one goes on where this one stopped.
  redial() {
    if (this.state.name !== "live" && this.state.name !== "connecting") return;
    this.#drop();
    this.#wait();
  }

  // For good: whoever this page is for, the socket is somebody else's.
  leave(code) {
    this.#drop();
    this.#enter({ name: "closed", code });
  }

  // The network or the person is back: no reason to wait, unless the server asked for it.
  hurry() {
    if (this.state.name === "waiting" && this.#ordered === null) this.dial();
    if (this.state.name === "live") {
      this.send({ type: "ping" });
      this.#expectWithin(PROBE_MS);
    }
  }

  #hear(socket, data) {
    this.#expectWithin(this.#silenceMs);
    for (const frame of [JSON.parse(data)].flat()) {
      if (socket !== this.#socket) return; // an earlier frame of the same batch made it redial
      if (frame.type === "welcome") this.#greet(frame);
      if (frame.type === "goodbye") this.#ordered = frame.after_ms || null;
      this.onFrame(frame);
      if (frame.type === "welcome" && socket === this.#socket) this.#enter({ name: "live" });
    }
  }

  #greet(welcome) {
    this.#welcomedAt = Date.now();
    this.#silenceMs = 2 * 1000 * welcome.ping_seconds;
    this.#expectWithin(this.#silenceMs);
  }

  #lose(code) {
    this.#drop();
    if (code >= 4400 && code < 4500) this.#enter({ name: "closed", code });
    else this.#wait();
  }

  #wait() {
    if (this.#welcomedAt && Date.now() - this.#welcomedAt > STEADY_MS) this.#attempt = 0;
    if (!navigator.onLine && this.#ordered === null) return this.#rest();
    const cap = this.blocked ? BLOCKED_CAP_MS : CAP_MS;
    const ms = (this.#ordered ?? 0) + backOff(this.#attempt++, Math.random, cap);
    this.#timer = setTimeout(() => this.dial(), ms);
    this.#enter({ name: "waiting", until: Date.now() + ms, ordered: this.#ordered !== null, blocked: this.blocked });
  }

  // Without a network there is nobody to dial. When it is back, hurry() is called.
  #rest() {
    this.#enter({ name: "waiting", offline: true });
  }

  #expectWithin(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.redial(), ms);
  }

  // Whatever the old socket still says is nobody's business: the next welcome starts from what was seen.
  #drop() {
    clearTimeout(this.#timer);
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  #enter(state) {
    this.state = state;
    this.onState(state);
  }
}

// A laptop that wakes, a phone that finds its network, a tab that is looked at again.
export function watchNetwork(connection) {
  addEventListener("online", () => connection.hurry());
  addEventListener("offline", () => connection.redial());
  addEventListener("pageshow", (event) => event.persisted && connection.hurry());
  document.addEventListener("visibilitychange", () => document.hidden || connection.hurry());
}
