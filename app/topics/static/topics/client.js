// Topics in the browser: one connection for the whole page, and what the page follows by it. docs/topics.md has every
// option, docs/protocol-topics.md every frame.

/** @import { Connect, Frame, Options, Page, Person, State, Topic, Topics } from "./types.js" */

import { Outbox, Refused } from "./outbox.js";
import { Socket } from "./socket.js";
import { Streams, isPassing } from "./streams.js";
import { Followed, tell } from "./topic.js";

const LOGIN = 4401;
const LIMITS = { data_bytes: 61_440, signal_bytes: 4_096 }; // as long as the server has not said

/** @type {Map<string, Client>} by address */
const clients = new Map();

/**
 * The page's connection: the same, however often it is asked for.
 * @param {Connect} [options]
 * @returns {Topics}
 */
export function connect(options = {}) {
  const url = new URL(options.url ?? "/ws/", globalThis.location?.href).href.replace(/^http/, "ws");
  let client = clients.get(url);
  if (!client || client.state.name === "closed") clients.set(url, (client = new Client(url, options)));
  client.listen(options);
  return client;
}

/**
 * @implements {Topics}
 * @implements {Page}
 */
class Client {
  /** @type {Person | undefined} */
  you;
  /** @type {State} */
  state = { name: "offline" };
  /** @type {Options[]} */
  #listeners = [];
  /** @type {Map<string, Followed>} */
  #topics = new Map();
  /** @type {string[]} topics that were left: what comes of them before the answer is not for who came after */
  #leaving = [];
  #key = "";
  #socket;
  #streams;
  #outbox;
  #isSame = true;
  #limits = LIMITS;

  /** @param {string} url @param {Connect} options */
  constructor(url, options) {
    const hear = this.#hear.bind(this);
    const stand = this.#stand.bind(this);
    this.#socket = new Socket(options.WebSocket ?? WebSocket, url, hear, stand);
    const base = new URL(options.http ?? "/topics/", url.replace(/^ws/, "http")).href;
    this.#streams = new Streams(options.fetch ?? ((url, init) => fetch(url, init)), base, hear, stand);
    this.#outbox = new Outbox(
      (entry) => {
        if (this.#direct) this.#socket.send({ type: "send", ...entry });
        else this.#streams.post(entry, keepsCookies() ? this.#key : "");
      },
      (topic) => tell(this.#topics.get(topic)?.options.onUnsent, this.unsent(topic)),
      () => this.#socket.redial(),
    );
    watch(this.#socket);
    this.#socket.dial();
  }

  /** @param {Options & Connect} options */
  listen(options) {
    if (options.key && !this.#key) this.#become(options.key);
    this.#listeners.push(options);
    queueMicrotask(() => tell(options.onState, this.state));
  }

  /** @param {string | HTMLElement} target @param {Options} [options] @returns {Topic} */
  join(target, options) {
    /** @type {Record<string, string | undefined>} */
    const { topic, seq, epoch, key } = typeof target === "string" ? { topic: target } : target.dataset;
    if (!topic) throw new TypeError("Join a topic by its name, or by an element that has data-topic.");
    if (this.#topics.has(topic)) throw new Error(`This page follows ${topic} already: leave it first.`);
    const wanted = { since: seq === undefined ? seq : Number(seq), epoch, key, ...options };
    if ((wanted.since === undefined) !== (wanted.epoch === undefined)) throw new TypeError("`since` needs its `epoch`.");
    const followed = new Followed(this, topic, wanted);
    this.#topics.set(topic, followed);
    this.listen(followed.options);
    this.rejoin(followed);
    return followed;
  }

  // The person or the network is back: try now.
  hurry() {
    this.#socket.hurry();
  }

  close() {
    this.#socket.close();
  }

  // --- For its topics ---

  /** @param {string} topic @param {unknown} data @param {string} [id] */
  async send(topic, data, id = randomId()) {
    return this.#outbox.add({ topic, id, data: fitting(data, this.#limits.data_bytes) });
  }

  /** @param {string} topic @param {unknown} data */
  signal(topic, data) {
    this.say({ type: "signal", topic, data: fitting(data, this.#limits.signal_bytes) });
  }

  /** @param {string} topic */
  unsent(topic) {
    return this.#outbox.of(topic);
  }

  // What may get lost.
  /** @param {object} frame */
  say(frame) {
    if (this.#direct) this.#socket.send(frame);
  }

  /** @param {Topic} topic */
  rejoin(topic) {
    const { name, seq, epoch } = topic;
    this.say({ type: "join", topic: name, ...(seq !== undefined && { since: seq, epoch }) });
    if (!this.#direct && this.#socket.blocked) this.#streams.join(topic);
  }

  /** @param {Followed} topic */
  leave(topic) {
    if (this.#topics.get(topic.name) !== topic) return;
    this.forget(topic);
    this.say({ type: "leave", topic: topic.name });
    if (this.#direct) this.#leaving.push(topic.name);
  }

  /** @param {Followed} topic */
  forget({ name, options }) {
    this.#topics.delete(name);
    this.#listeners = this.#listeners.filter((listener) => listener !== options);
    this.#streams.leave(name);
  }

  // An event of one's own that comes before its ack, or instead of it.
  /** @param {Frame} frame */
  stored(frame) {
    if (frame.type === "event" && frame.by?.key === this.you?.key) this.#outbox.acked(frame);
  }

  // --- Hearing ---

  /** @param {Frame} frame */
  #hear(frame) {
    const { type, topic, code, id } = frame;
    if (type === "welcome") this.#greet(frame);
    else if (type === "ack") this.#outbox.acked(frame);
    else if (code === "login_required") this.#socket.close(LOGIN);
    else if (type === "error" && id) this.#refuse(frame);
    else if (!this.#leaving.includes(topic)) this.#topics.get(topic)?.hear(frame);
    else if (type === "left") this.#leaving.splice(this.#leaving.indexOf(topic), 1);
  }

  // Without cookies a guest is somebody new each time, and stays on this page whoever that is.
  /** @param {Frame} frame */
  #greet({ you, limits }) {
    this.you = you;
    this.#limits = limits;
    if (this.#key === you.key) return;
    this.#isSame = !this.#key || !keepsCookies();
    this.#become(you.key);
  }

  /** @param {string} key */
  #become(key) {
    this.#key = key;
    this.#outbox.belong(`topics:${key}`, this.#isSame);
  }

  /** @param {Frame} error */
  #refuse(error) {
    if (error.code === "somebody_else") this.#follow(); // the stream says who
    if (isPassing(error)) return this.#outbox.putOff(error);
    const refused = this.#outbox.refused(error);
    if (refused) tell(this.#topics.get(error.topic)?.options.onError ?? console.warn, refused);
  }

  // --- How things stand ---

  get #direct() {
    return this.#socket.state.name === "online";
  }

  // By the socket where there is one, by streams where none comes through.
  #stand() {
    const { state, blocked } = this.#socket;
    const streams = this.#streams;
    if (this.#direct || state.name === "closed" || !blocked) streams.stop();
    else if (!streams.started) this.#follow();
    this.#socket.patient = streams.online;
    if (streams.online && this.state.http) return;
    /** @type {State} */
    const here = streams.online ? { name: "online", http: true } : state;
    this.state = { ...here, you: this.you, changed: !this.#isSame };
    this.#outbox.sleep();
    if (!streams.online) for (const topic of this.#topics.values()) topic.away();
    for (const { onState } of this.#listeners) tell(onState, this.state);
    if (this.#direct) {
      this.#leaving = [];
      this.#follow();
    }
    if (this.state.name === "online") this.#outbox.wake();
  }

  #follow() {
    for (const topic of this.#topics.values()) {
      topic.away();
      this.rejoin(topic);
    }
  }
}

/**
 * A copy of it as JSON, which nobody changes any more.
 * @param {unknown} data
 * @param {number} most bytes
 */
function fitting(data, most) {
  const text = JSON.stringify(data) ?? "";
  const { size } = new Blob([text]);
  if (size > most) throw new Refused({ code: "too_long", detail: `${size} bytes: there is room for ${most}.` }, data);
  return JSON.parse(text);
}

// 128 random bits. crypto.randomUUID does not exist on plain HTTP away from localhost.
function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// navigator.cookieEnabled says yes also where a setting blocks them.
function keepsCookies() {
  if (!globalThis.document) return false;
  document.cookie = "kept=1; SameSite=Lax";
  const kept = document.cookie.includes("kept=1");
  document.cookie = "kept=; Max-Age=0; SameSite=Lax";
  return kept;
}

// A laptop that wakes, a phone that finds its network, a tab that is looked at again; a page put aside to come back to.
/** @param {Socket} socket */
function watch(socket) {
  if (!globalThis.document) return;
  addEventListener("online", () => socket.hurry());
  addEventListener("offline", () => socket.redial());
  addEventListener("pagehide", () => socket.rest());
  addEventListener("pageshow", (event) => event.persisted && socket.hurry());
  document.addEventListener("visibilitychange", () => document.hidden || socket.hurry());
}
