// What was sent here and is not yet stored there: in order in each topic, one on its way at a time, since what the
// server puts off must not be overtaken by the next. Every attempt carries the same id, so that what arrived without
// its ack reaching back is stored once all the same.
//
// Kept per tab and person, over reloads: it waits for that very person to be back in this tab. A duplicated tab takes a
// copy along, which the ids make harmless.

/** @import { Ack, Entry, Frame, Unsent } from "./types.js" */

import { backOff } from "./line.js";

const ACK_MS = 20_000; // a live connection that answers nothing for so long is worth another

/** What the server did not take: `code` for programs, `detail` for people, `retryAfter` in ms where waiting helps. */
export class Refused extends Error {
  name = "Refused";

  /** @param {Frame} frame @param {unknown} [data] */
  constructor({ retry_after_ms: retryAfter, ...frame }, data) {
    super(frame.detail);
    Object.assign(this, frame, { data, retryAfter });
  }
}

export class Outbox {
  /** @type {Entry[]} */
  #entries = [];
  #where = "";
  #attempt = 0;
  /** @type {Map<string, { id: string, timer: any, sending: boolean, why?: string }>} by topic: what is on its way, or is put off */
  #first = new Map();
  /** @type {Map<string, { resolve: (ack: Ack) => void, reject: (refused: Refused) => void }>} by id */
  #callers = new Map();

  /**
   * @param {(topic: string) => boolean} isReady
   * @param {(entry: Entry) => void} send
   * @param {(topic: string) => void} onChange
   * @param {() => void} onStuck no answer
   */
  constructor(isReady, send, onChange, onStuck) {
    this.isReady = isReady;
    this.send = send;
    this.onChange = onChange;
    this.onStuck = onStuck;
  }

  /**
   * From here on it is that person's, who gets back what she left.
   * @param {string} where the name of her storage
   * @param {boolean} changed whether somebody else has written what is in it
   */
  belong(where, changed) {
    const before = this.#entries;
    this.#entries = load(where);
    this.#where = where;
    for (const entry of before) {
      const error = { ...entry, code: "somebody_else", detail: "You are somebody else now." };
      if (changed) this.#settle(entry.id)?.reject(new Refused(error, entry.data));
      else this.#entries.push(entry);
    }
    this.#changed(...before, ...this.#entries);
  }

  /** @param {Entry} entry @returns {Promise<Ack>} */
  add(entry) {
    return new Promise((resolve, reject) => {
      this.#entries.push(entry);
      this.#callers.set(entry.id, { resolve, reject });
      this.#changed(entry);
    });
  }

  /** @param {Frame} ack */
  acked({ id, seq, at }) {
    this.#remove(id);
    this.#settle(id)?.resolve({ id, seq, at });
  }

  /**
   * The server will never take it as it is. Returns the error where nobody waits for it.
   * @param {Frame} error
   */
  refused(error) {
    const entry = this.#remove(error.id);
    const refused = new Refused(error, entry?.data);
    const caller = this.#settle(error.id);
    caller?.reject(refused);
    return entry && !caller && refused;
  }

  /**
   * Not now: the same again after `ms`, or after a while of our own choosing.
   * @param {Frame} error
   */
  putOff({ topic, id, detail, retry_after_ms = backOff(++this.#attempt) }) {
    const first = this.#first.get(topic);
    if (first?.id !== id || !first?.sending) return;
    clearTimeout(first.timer);
    this.#first.set(topic, { id, timer: setTimeout(() => this.#again(topic), retry_after_ms), sending: false, why: detail });
    this.onChange(topic);
  }

  wake() {
    this.#changed(...this.#entries);
  }

  sleep() {
    for (const topic of this.#first.keys()) this.#again(topic);
  }

  /** @param {string} topic @returns {Unsent[]} */
  of(topic) {
    const { id, timer, ...state } = this.#first.get(topic) ?? {};
    return this.#entries.filter((entry) => entry.topic === topic).map((entry) => ({ ...entry, sending: false, ...(entry.id === id && state) }));
  }

  /** @param {string} id */
  #settle(id) {
    const caller = this.#callers.get(id);
    this.#callers.delete(id);
    return caller;
  }

  /** @param {string} id */
  #remove(id) {
    const entry = this.#entries.find((entry) => entry.id === id);
    if (!entry) return;
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#attempt = 0;
    if (this.#first.get(entry.topic)?.id === id) this.#again(entry.topic);
    else this.#changed(entry);
    return entry;
  }

  /** @param {string} topic */
  #again(topic) {
    clearTimeout(this.#first.get(topic)?.timer);
    this.#first.delete(topic);
    this.#changed({ topic });
  }

  /** @param {{ topic: string }[]} entries of which topics */
  #changed(...entries) {
    save(this.#where, this.#entries);
    for (const topic of new Set(entries.map((entry) => entry.topic))) {
      const next = this.#entries.find((entry) => entry.topic === topic);
      if (next && !this.#first.has(topic) && this.isReady(topic)) {
        this.#first.set(topic, { id: next.id, timer: setTimeout(this.onStuck, ACK_MS), sending: true });
        this.send(next);
      }
      this.onChange(topic);
    }
  }
}

/** @param {string} where @returns {Entry[]} */
function load(where) {
  try {
    return JSON.parse(sessionStorage.getItem(where) ?? "[]");
  } catch {
    return []; // merely asking for the storage raises where the person has switched it off
  }
}

/** @param {string} where @param {Entry[]} entries */
function save(where, entries) {
  try {
    if (where) sessionStorage.setItem(where, JSON.stringify(entries));
  } catch {
    // A full storage costs only what it was for: surviving a reload.
  }
}
