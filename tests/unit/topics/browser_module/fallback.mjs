// What a page finds where no socket comes through: streams and answers that the test plays.

import { ALICE, Dialled, globals, pass, settle } from "./page.mjs";

export const WELCOME = { type: "welcome", you: ALICE, ping_seconds: 20, limits: { data_bytes: 61_440, signal_bytes: 4_096 } };

/** A stream that the page has asked for. */
export class Source {
  static all = [];

  static get last() {
    return Source.all.at(-1);
  }

  isOpen = true;
  #response;
  #lines;
  #body = new ReadableStream({ start: (controller) => (this.#lines = controller) });

  constructor(url, { headers, signal }) {
    Object.assign(this, { url, headers });
    this.answer = new Promise((resolve) => (this.answers = resolve));
    signal.addEventListener("abort", () => this.#over(() => this.#lines.error(signal.reason)));
    Source.all.push(this);
  }

  #over(how) {
    if (this.isOpen) how();
    this.isOpen = false;
  }

  /** As the server writes it, in parts that end anywhere. */
  async says(...frames) {
    this.answers((this.#response ??= new Response(this.#body)));
    const text = frames.map((frame) => `id: e/${frame.seq}\ndata: ${JSON.stringify(frame)}\n\n`).join(": nothing new\n\n");
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length && this.isOpen; at += 7) this.#lines.enqueue(bytes.slice(at, at + 7));
    await settle(200);
  }

  async ends() {
    this.#over(() => this.#lines.close());
    await settle();
  }

  async refuses(status, said) {
    this.isOpen = false;
    this.answers(answerOf(status, said));
    await settle();
  }
}

function answerOf(status, said) {
  if (status === 0) throw new TypeError("no network");
  return new Response(typeof said === "string" ? said : JSON.stringify(said), { status });
}

/** What comes of everything that the page fetches: streams, and for all else the answers, the last again and again. */
export function answering(t, ...answers) {
  const asked = [];
  globals(t, {
    fetch: async (url, { headers, body, signal } = {}) => {
      if (headers?.Accept) return new Source(url, { headers, signal }).answer;
      asked.push({ url, headers, ...(body && JSON.parse(body)) });
      return answerOf(...(answers.length > 1 ? answers.shift() : answers[0]));
    },
  });
  return asked;
}

/** Something on the way lets no socket through. */
export async function cutOff() {
  Source.all = [];
  for (const wait of [500, 1_000, 2_000, 4_000]) {
    Dialled.last.dies();
    await pass(wait);
  }
}
