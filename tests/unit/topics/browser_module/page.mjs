// A page without a browser: the module before sockets, answers and a clock that the test plays.

import { mock } from "node:test";

const MODULE = new URL("../../../../app/topics/static/topics/client.js", import.meta.url);

export const ALICE = { key: "alices-key", name: "Alice", guest: false };
export const BOB = { key: "bobs-key", name: "Bob", guest: false };
export const LUNCH = "votes/lunch";

/** The server's end of a socket. */
export class Dialled {
  heard = [];
  readyState = 0;

  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
    Dialled.all.push(this);
  }

  static all = [];

  static get last() {
    return Dialled.all.at(-1);
  }

  send(text) {
    this.heard.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  opens() {
    this.readyState = 1;
    this.onopen?.();
  }

  says(...frames) {
    this.onmessage?.({ data: JSON.stringify(frames) });
  }

  welcomes(you = ALICE, more = {}) {
    this.opens();
    const limits = { topics: 100, data_bytes: 61_440, signal_bytes: 4_096 };
    this.says({ type: "welcome", you, ping_seconds: 20, limits, ...more });
  }

  dies(code = 1006) {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  all(type) {
    return this.heard.filter((frame) => frame.type === type);
  }
}

/** What a page is told, in order: ["onEvent", its arguments…]. */
export class Told {
  heard = [];
  options = {};

  constructor(...names) {
    for (const name of names) this.options[name] = (...what) => this.heard.push([name, ...what]);
  }

  get seqs() {
    return this.heard.filter(([name]) => name === "onEvent" || name === "onChange").map(([, frame]) => frame.seq);
  }

  of(wanted) {
    return this.heard.filter(([name]) => name === wanted).map(([, ...what]) => what);
  }
}

export const EVERYTHING = ["onEvent", "onChange", "onSignal", "onMembers", "onUnread", "onReset", "onError"];

export function event(seq, more = {}) {
  return { type: "event", topic: LUNCH, seq, id: `bobs-${seq}`, by: BOB, data: seq, at: "2026-01-02T03:04:05.678Z", ...more };
}

export function joined(...events) {
  return joinedWith({}, ...events);
}

export function joinedWith(more, ...events) {
  const seq = events.at(-1)?.seq ?? 0;
  const people = { members: [ALICE], member_count: 1 };
  return { type: "joined", topic: LUNCH, epoch: "e", seq, recovered: true, events, ...people, ...more };
}

let pages = 0;

/** The module as a page that was just loaded has it. */
export async function load() {
  return await import(`${MODULE}?${pages++}`);
}

/** Time stands still unless it is told to run; waits are as long as they can be. */
export function stopTime(t) {
  Dialled.all = [];
  globals(t, { WebSocket: Dialled, fetch: async () => Promise.reject(new TypeError("no network")) });
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  mock.method(Math, "random", () => 0.999);
  t.after(() => {
    mock.timers.reset();
    mock.restoreAll();
  });
}

export async function pass(ms) {
  for (; ms > 0; ms -= 100) {
    mock.timers.tick(Math.min(ms, 100)); // in steps: what one deadline sets belongs to its own time
    await settle(3);
  }
  await settle();
}

/** Waits for the next dial. */
export async function redialled() {
  const before = Dialled.all.length;
  for (let second = 0; Dialled.all.length === before; second++) {
    if (second > 130) throw new Error("It does not dial again.");
    await pass(1_000);
  }
}

/** Until nothing is left to do at once. */
export async function settle(turns = 20) {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What a browser has beside: a document with cookies, a storage for the tab, a network that comes and goes. */
export function browser(t, { cookies = true } = {}) {
  const kept = new Map();
  const page = new EventTarget();
  const document = new EventTarget();
  let jar = "";
  Object.defineProperty(document, "cookie", { get: () => jar, set: (cookie) => (jar = cookies ? cookie : "") });
  const network = { onLine: true };
  globals(t, {
    document,
    navigator: network,
    sessionStorage: { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) },
    addEventListener: page.addEventListener.bind(page),
    location: { href: "https://site.example/page" },
  });
  return { page, document, network, kept };
}

/** What a page finds, for the time of a test. */
export function globals(t, found) {
  const before = Object.keys(found).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  for (const [name, value] of Object.entries(found)) Object.defineProperty(globalThis, name, { value, configurable: true });
  t.after(() => {
    for (const [name, was] of before) {
      if (was) Object.defineProperty(globalThis, name, was);
      else delete globalThis[name];
    }
  });
}

/** A page that follows the votes, and what it was told. */
export async function following(t, options = {}, frame = joined()) {
  stopTime(t);
  const { connect } = await load();
  const client = connect({ url: "ws://site.example/ws/" });
  const told = new Told(...EVERYTHING);
  const votes = client.join(LUNCH, { ...told.options, ...options });
  Dialled.last.welcomes();
  if (frame) Dialled.last.says(frame);
  await settle();
  return { client, connect, votes, told };
}
