// Where no socket comes through: a stream of server-sent events for each topic, and POST. Both speak in the frames of
// the socket.

/** @import { Entry, Frame, Topic } from "./types.js" */

import { backOff } from "./socket.js";

const MOST_STREAMS = 4; // a browser has six connections to a site without HTTP/2, and the page wants some
const SILENCE_MS = 45_000; // the server says something every 20 s
const POST_MS = 15_000;

export class Streams {
  /** @type {Map<string, AbortController>} by topic */
  #ends = new Map();
  /** @type {Set<AbortController>} those that bring something */
  #flowing = new Set();

  /**
   * @param {typeof globalThis.fetch} fetch
   * @param {string} base
   * @param {(frame: Frame) => void} onFrame
   * @param {() => void} onState
   */
  constructor(fetch, base, onFrame, onState) {
    this.fetch = fetch;
    this.base = base;
    this.onFrame = onFrame;
    this.onState = onState;
  }

  get online() {
    return this.#flowing.size > 0;
  }

  get started() {
    return this.#ends.size > 0;
  }

  /** @param {Topic} topic @param {number} [attempt] */
  async join(topic, attempt = 0) {
    this.leave(topic.name);
    if (this.#ends.size >= MOST_STREAMS) return;
    const ends = new AbortController();
    this.#ends.set(topic.name, ends);
    // Cut, silent or no answer: once more.
    const ms = await this.#read(topic, ends).catch(() => 0);
    if (this.#flowing.delete(ends)) {
      attempt = 0;
      this.onState();
    }
    if (this.#ends.get(topic.name) !== ends) return;
    await new Promise((resolve) => setTimeout(resolve, ms + backOff(attempt)));
    if (this.#ends.get(topic.name) === ends) this.join(topic, attempt + 1);
  }

  /** @param {string} topic */
  leave(topic) {
    const ends = this.#ends.get(topic);
    this.#ends.delete(topic);
    ends?.abort();
  }

  stop() {
    this.#flowing.clear();
    for (const topic of this.#ends.keys()) this.leave(topic);
  }

  /** @param {Entry} entry @param {string} person */
  async post({ topic, id, data }, person) {
    const answer = this.fetch(this.#address(topic), {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(person && { "Topics-Person": person }) },
      body: JSON.stringify({ id, data }),
      signal: AbortSignal.timeout(POST_MS),
    });
    this.onFrame(await said(answer, { topic, id }));
  }

  /**
   * Until it ends; returns how long the server told this client to stay away.
   * @param {Topic} topic
   * @param {AbortController} ends
   */
  async #read({ name, epoch, seq }, ends) {
    let ms = 0;
    /** @type {any} */
    let silence;
    const expect = () => {
      clearTimeout(silence);
      silence = setTimeout(() => ends.abort(), SILENCE_MS);
    };
    expect();
    try {
      const since = seq === undefined ? "" : `?${new URLSearchParams({ since: `${seq}`, epoch })}`;
      const asked = { headers: { Accept: "text/event-stream" }, signal: ends.signal };
      const answer = await this.fetch(this.#address(name) + since, asked);
      if (!answer.ok || !answer.body) {
        const frame = await said(answer, { topic: name });
        if (!isPassing(frame)) this.onFrame(frame);
        return frame.retry_after_ms ?? 0;
      }
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = "", part; !(part = await reader.read()).done; ) {
        expect();
        const lines = (rest + part.value).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          if (ends.signal.aborted || !line.startsWith("data: ")) continue;
          const frame = JSON.parse(line.slice(6));
          if (frame.type === "goodbye") ms = frame.after_ms;
          this.onFrame(frame);
          if (frame.type !== "joined") continue;
          this.#flowing.add(ends);
          this.onState();
        }
      }
    } finally {
      clearTimeout(silence);
    }
    return ms;
  }

  /** @param {string} topic */
  #address(topic) {
    return this.base + encodeURIComponent(topic).replaceAll("%2F", "/");
  }
}

/**
 * Whether the same may be taken later.
 * @param {Frame} error
 */
export const isPassing = ({ code }) => ["rate_limited", "unavailable", "somebody_else"].includes(code);

/**
 * What an answer says, as a frame. What is none of ours, such as a proxy's own page, is no answer.
 * @param {Response | Promise<Response>} answer
 * @param {Partial<Frame>} about
 * @returns {Promise<Frame>}
 */
async function said(answer, about) {
  try {
    const { ok, headers } = (answer = await answer);
    const body = await answer.json();
    const wait = Number(headers.get("Retry-After")) * 1000 || undefined;
    return { type: ok ? "ack" : "error", retry_after_ms: wait, ...about, ...body };
  } catch {
    return { type: "error", code: "unavailable", ...about };
  }
}
