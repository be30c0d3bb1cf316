// Topics in the browser: one connection for the whole page, and what the page follows by it. docs/topics.md has every
// option, docs/protocol-topics.md every frame.

/** @import { Connect, Frame, Options, Page, Person, State, Topic, Topics } from "./types.js" */

import { Line, isPassing } from "./line.js";
import { Outbox, Refused } from "./outbox.js";
import { Streams } from "./streams.js";
import { Followed, tell } from "./topic.js";

/** @type {State} */
const BY_HTTP = { name: "online", http: true };

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
  #shown = this.state;
  #key = "";
  #isSame; // whether one stays the same person from one connection to the next
  #socket;
  #streams;
  #changed = false;
  #most = 61_440; // bytes of an event, as long as the server has not said

  /** @param {string} url @param {Connect} options */
  constructor(url, options) {
    const hear = this.#hear.bind(this);
    const stand = this.#stand.bind(this);
    const { secret, http = "/topics/" } = options;
    this.#isSame = () => !!secret || keepsCookies();
    this.#socket = new Line((secret) => new WebSocket(url, offered(secret)), hear, stand, secret);
    this.#streams = new Streams(new URL(http, url.replace(/^ws/, "http")).href, hear, stand, secret);
    this.outbox = new Outbox(
      // Not before it is known what of it has arrived.
      (topic) => this.state.name === "online" && (!this.#direct || this.#topics.get(topic)?.joined !== false),
      (entry) => {
        this.say({ type: "send", ...entry });
        if (!this.#direct) this.#streams.post(entry, this.#isSame() && this.#key);
      },
      (topic) => tell(this.#topics.get(topic)?.options.onUnsent, this.outbox.of(topic)),
      () => this.#socket.redial(),
    );
    watch(this.#socket, this.#streams.lines);
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
    if (!topic) throw new Error("Join a name or an element with data-topic");
    if (this.#topics.has(topic)) throw new Error(`${topic} is joined already`);
    const wanted = { since: seq ? Number(seq) : undefined, epoch, key, onError: console.warn, ...options };
    if (wanted.since !== undefined && wanted.epoch === undefined) throw new Error("since without epoch");
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

  // The id is 128 random bits. crypto.randomUUID does not exist on plain HTTP away from localhost.
  /** @param {string} topic @param {unknown} data @param {string} [id] */
  async send(topic, data, id = crypto.getRandomValues(new Uint32Array(4)).join("-")) {
    return this.outbox.add({ topic, id, data: fitting(data, this.#most) });
  }

  // What may get lost.
  /** @param {object} frame */
  say(frame) {
    if (this.#direct) this.#socket.send(frame);
  }

  /** @param {string} topic @param {number} seq */
  cancel(topic, seq) {
    if (this.#direct) this.say({ type: "cancel", topic, seq });
    else this.#streams.cancel(topic, seq);
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

  // --- Hearing ---

  /** @param {Frame} frame */
  #hear(frame) {
    const { type, topic, code, id } = frame;
    if (type === "welcome") this.#greet(frame);
    else if (type === "ack") this.outbox.acked(frame);
    else if (code === "login_required") this.#socket.close(4401);
    else if (type === "error" && id) this.#refuse(frame);
    else if (!this.#leaving.includes(topic)) this.#topics.get(topic)?.hear(frame);
    else if (type === "left") this.#leaving.splice(this.#leaving.indexOf(topic), 1);
  }

  // Without cookies a guest is somebody new each time, and stays on this page whoever that is.
  /** @param {Frame} frame */
  #greet({ you, limits }) {
    this.you = you;
    this.#most = limits.data_bytes;
    if (this.#key === you.key) return;
    this.#changed = this.#key !== "" && this.#isSame();
    this.#become(you.key);
  }

  /** @param {string} key */
  #become(key) {
    this.#key = key;
    this.outbox.belong(`topics:${key}`, this.#changed);
  }

  /** @param {Frame} error */
  #refuse(error) {
    if (error.code === "somebody_else") this.#follow(); // the stream says who
    if (isPassing(error)) return this.outbox.putOff(error);
    const refused = this.outbox.refused(error);
    if (refused) tell(this.#topics.get(error.topic)?.options.onError, refused);
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
    else if (!streams.lines.size) this.#follow();
    this.#socket.patient = streams.online;
    const here = streams.online ? BY_HTTP : state;
    if (here === this.#shown) return;
    this.#shown = here;
    this.state = { ...here, you: this.you, changed: this.#changed };
    if (!streams.online) for (const topic of this.#topics.values()) topic.away();
    this.outbox.sleep();
    for (const { onState } of this.#listeners) tell(onState, this.state);
    if (this.#direct) {
      this.#leaving = [];
      this.#follow();
    }
    if (this.state.name === "online") this.outbox.wake();
  }

  #follow() {
    for (const topic of this.#topics.values()) this.rejoin(topic);
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
  if (size > most) throw new Refused({ code: "too_long", detail: `${size} bytes are more than ${most}.` }, data);
  return JSON.parse(text);
}

// A browser lets no page set a header on a socket.
/** @param {string} [secret] */
function offered(secret) {
  const bearer = secret && `bearer.${btoa(secret).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
  return ["topics.v1.batch", "topics.v1", ...(bearer ? [bearer] : [])];
}

// navigator.cookieEnabled says yes also where a setting blocks them.
function keepsCookies() {
  if (!globalThis.document) return false;
  document.cookie = "kept=1";
  const kept = document.cookie.includes("kept=1");
  document.cookie = "kept=1; Max-Age=0";
  return kept;
}

// A laptop that wakes, a phone that finds its network, a tab that is looked at again; a page put aside to come back to.
/** @param {Line} socket @param {Map<string, Line>} streams */
function watch(socket, streams) {
  if (!globalThis.document) return;
  addEventListener("online", () => [socket, ...streams.values()].forEach((line) => line.hurry()));
  addEventListener("offline", () => [socket, ...streams.values()].forEach((line) => line.redial()));
  addEventListener("pagehide", () => socket.rest());
  addEventListener("pageshow", (event) => event.persisted && socket.hurry());
  document.addEventListener("visibilitychange", () => document.hidden || socket.hurry());
}
