// Where no socket comes through: a stream of server-sent events for each topic, and POST. Both speak in the frames of
// the socket.

/** @import { Connect, Dialled, Entry, Frame, Topic } from "./types.js" */

import { Line, NOBODY, isPassing } from "./line.js";

const MOST_STREAMS = 4; // a browser has six connections to a site without HTTP/2, and the page wants some

export class Streams {
  /** @type {Map<string, Line>} by topic */
  lines = new Map();

  /**
   * @param {string} base
   * @param {(frame: Frame) => void} onFrame
   * @param {() => void} onState
   * @param {Connect["secret"]} [secret]
   */
  constructor(base, onFrame, onState, secret) {
    this.base = base;
    this.onFrame = onFrame;
    this.onState = onState;
    this.secret = secret;
  }

  get online() {
    return [...this.lines.values()].some((line) => line.state.name === "online");
  }

  /** @param {Topic} topic */
  join(topic) {
    const { name } = topic;
    this.leave(name);
    // A program has no cookies that would make its sockets, streams and posts the same person's.
    if (!(globalThis.document || this.secret) || this.lines.size >= MOST_STREAMS) return;
    const onState = () => this.lines.get(name) === line && this.onState();
    const line = new Line((secret) => this.#begin(topic, secret), this.onFrame, onState, this.secret);
    this.lines.set(name, line);
    line.dial();
  }

  /** @param {string} name */
  leave(name) {
    const line = this.lines.get(name);
    this.lines.delete(name);
    line?.close();
  }

  stop() {
    for (const name of this.lines.keys()) this.leave(name);
  }

  /** @param {Entry} entry @param {string | false} person */
  post({ topic, id, data }, person) {
    const headers = { "Content-Type": "application/json", ...(person && { "Topics-Person": person }) };
    this.#say({ topic, id }, { headers, body: JSON.stringify({ id, data }) });
  }

  /** @param {string} topic @param {number} seq */
  cancel(topic, seq) {
    this.#say({ topic }, {}, `?cancel=${seq}`);
  }

  /** @param {Topic} topic its position is asked each time @param {string} [secret] @returns {Dialled} */
  #begin({ name, seq, epoch }, secret) {
    const leaving = new AbortController();
    /** @type {Dialled} */
    const end = { ...NOBODY, close: () => leaving.abort() };
    const since = seq === undefined ? "" : `?since=${seq}&epoch=${epoch}`;
    const asked = { headers: { Accept: "text/event-stream" }, signal: leaving.signal };
    this.#ask(name, since, asked, secret)
      .then((answer) => (answer.ok ? read(answer, end) : this.#refuse(name, answer)))
      .catch(() => {}) // another one goes on where it stopped
      .then(() => end.onclose?.({}));
    return end;
  }

  // Where it may be had later, it is asked for again.
  /** @param {string} topic @param {Response} answer */
  async #refuse(topic, answer) {
    const frame = { type: "error", topic, ...(await answer.json()) };
    if (!isPassing(frame)) this.onFrame(frame);
  }

  // What is answered, as a frame. What is none of ours, such as a proxy's own page, is no answer.
  /** @param {{ topic: string, id?: string }} about @param {RequestInit} asked */
  async #say(about, asked, query = "") {
    const post = { method: "POST", signal: AbortSignal.timeout(15_000), ...asked };
    /** @type {Frame} */
    let frame = { type: "error", code: "unavailable" };
    try {
      const answer = await this.#ask(about.topic, query, post, await this.secret?.());
      frame = { type: answer.ok ? "ack" : "error", ...(await answer.json()) };
    } catch {}
    this.onFrame({ ...frame, ...about });
  }

  /** @param {string} topic @param {string} query @param {RequestInit} asked @param {string} [secret] */
  #ask(topic, query, asked, secret) {
    const address = this.base + encodeURIComponent(topic).replaceAll("%2F", "/") + query;
    return fetch(address, { ...asked, headers: { ...asked.headers, ...(secret && { Authorization: `Bearer ${secret}` }) } });
  }
}

// An EventSource would do, but can bear no secret, and does not say why it was refused.
/** @param {Response} answer @param {Dialled} end */
async function read({ body }, end) {
  const reader = /** @type {any} */ (body).pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = "", part; !(part = await reader.read()).done; ) {
    const events = (rest + part.value).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      const at = event.indexOf("data: ");
      if (at >= 0) end.onmessage?.({ data: event.slice(at + 6) });
    }
  }
}
