// Where no socket comes through: a stream of server-sent events for each topic, and POST. Both speak in the frames of
// the socket.

/** @import { Dialled, Entry, Frame, Topic } from "./types.js" */

import { Line, isPassing } from "./line.js";

const MOST_STREAMS = 4; // a browser has six connections to a site without HTTP/2, and the page wants some

export class Streams {
  /** @type {Map<string, Line>} by topic */
  lines = new Map();

  /**
   * @param {string} base
   * @param {(frame: Frame) => void} onFrame
   * @param {() => void} onState
   */
  constructor(base, onFrame, onState) {
    this.base = base;
    this.onFrame = onFrame;
    this.onState = onState;
  }

  get online() {
    return [...this.lines.values()].some((line) => line.state.name === "online");
  }

  /** @param {Topic} topic */
  join(topic) {
    const { name } = topic;
    this.leave(name);
    if (!globalThis.EventSource || this.lines.size >= MOST_STREAMS) return;
    const line = new Line(() => this.#begin(topic), this.onFrame, () => this.lines.get(name) === line && this.onState());
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
  async post({ topic, id, data }, person) {
    const headers = { "Content-Type": "application/json", ...(person && { "Topics-Person": person }) };
    const body = JSON.stringify({ id, data });
    this.onFrame(await this.#said({ topic, id }, { method: "POST", headers, body, signal: AbortSignal.timeout(15_000) }));
  }

  /** @param {string} topic @param {number} seq */
  async cancel(topic, seq) {
    this.onFrame(await this.#said({ topic }, { method: "POST" }, `?cancel=${seq}`));
  }

  /** @param {Topic} topic its position is asked each time @returns {Dialled} */
  #begin({ name, seq, epoch }) {
    const since = seq === undefined ? "" : `?since=${seq}&epoch=${epoch}`;
    /** @type {any} */
    const source = new EventSource(this.#address(name) + since);
    source.onerror = async () => {
      // It does not say why it was given up; a page of the topic's history does.
      /** @type {Frame} */
      const frame = source.readyState < 2 ? {} : await this.#said({ topic: name });
      if (frame.code && !isPassing(frame)) this.onFrame(frame);
      source.onclose?.({});
    };
    return source;
  }

  /** @param {string} topic */
  #address(topic) {
    return this.base + encodeURIComponent(topic).replaceAll("%2F", "/");
  }

  /**
   * What is answered, as a frame. What is none of ours, such as a proxy's own page, is no answer.
   * @param {{ topic: string, id?: string }} about
   * @param {RequestInit} [asked]
   * @returns {Promise<Frame>}
   */
  async #said(about, asked, query = "") {
    try {
      const answer = await fetch(this.#address(about.topic) + query, asked);
      return { type: answer.ok ? "ack" : "error", ...about, ...(await answer.json()) };
    } catch {
      return { type: "error", code: "unavailable", ...about };
    }
  }
}
