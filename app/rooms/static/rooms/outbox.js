// What was written here and is not yet stored there, in order, one on its way at a time: a message that the
// server puts off must not be overtaken by the next. Every attempt carries the same id, so that a message
// which arrived without its ack reaching back is stored once all the same.
//
// Kept per tab and person, over reloads: what somebody wrote waits for that very person to be back in this tab. A
// duplicated tab takes a copy along, which the ids make harmless.

import { backOff } from "./connection.js";

const ACK_MS = 20_000; // a live socket that answers nothing for so long is worth another

export class Outbox {
  #live = false;
  #flying = null; // the id that is on its way
  #timer = 0;
  #attempt = 0;

  // storage: getItem and setItem, or null. send(frame). onChange() after every change. onStuck(): no answer.
  constructor({ storage, key, send, onChange, onStuck }) {
    Object.assign(this, { storage, key, send, onChange, onStuck });
    this.entries = load(storage, key); // {id, body, refused?: a sentence}
  }

  add(body) {
    this.entries.push({ id: chooseId(), body });
    this.#changed();
  }

  // The server will never take this one as it is; whoever wrote it decides.
  refuse(id, sentence) {
    const entry = this.entries.find((entry) => entry.id === id);
    if (!entry) return;
    entry.refused = sentence;
    this.#landed(id);
  }

  // Stored, or taken back: no longer ours to send.
  remove(id) {
    const index = this.entries.findIndex((entry) => entry.id === id);
    if (index < 0) return;
    this.entries.splice(index, 1);
    this.#landed(id);
  }

  // Not now: the same again after `ms`, or after a while of our own choosing.
  putOff(id, ms) {
    if (id !== this.#flying) return;
    this.#rest(ms ?? backOff(++this.#attempt));
    this.onChange();
  }

  wake() {
    this.#live = true;
    this.#changed();
  }

  sleep() {
    this.#live = false;
    this.#flying = null;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.onChange();
  }

  isFlying(id) {
    return id === this.#flying;
  }

  #landed(id) {
    if (id === this.#flying) {
      this.#flying = null;
      this.#attempt = 0;
      clearTimeout(this.#timer);
      this.#timer = 0;
    }
    this.#changed();
  }

  #rest(ms) {
    this.#flying = null;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#changed();
    }, ms);
  }

  #changed() {
    this.#sendNext();
    save(this.storage, this.key, this.entries);
    this.onChange();
  }

  #sendNext() {
    const next = this.entries.find((entry) => !entry.refused);
    if (!next || !this.#live || this.#timer) return;
    this.#flying = next.id;
    this.#timer = setTimeout(this.onStuck, ACK_MS);
    this.send({ type: "message", id: next.id, body: next.body });
  }
}

// 128 random bits. crypto.randomUUID does not exist on plain HTTP away from localhost.
function chooseId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function load(storage, key) {
  try {
    return JSON.parse(storage?.getItem(key)) ?? [];
  } catch {
    return [];
  }
}

function save(storage, key, entries) {
  try {
    storage?.setItem(key, JSON.stringify(entries));
  } catch {
    // A full storage costs only what it was for: surviving a reload.
  }
}
