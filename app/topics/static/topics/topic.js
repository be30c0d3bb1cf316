// One topic that this page follows: how far it has seen the log, who else is there, and who is to be told.

/** @import { Frame, Options, Page, Person, Topic } from "./types.js" */

import { Refused } from "./outbox.js";
import { backOff, isPassing } from "./line.js";

/**
 * What the page's own code gets wrong is its own affair: what comes after it is heard all the same.
 * @param {Function | undefined} told
 * @param {unknown[]} what
 */
export function tell(told, ...what) {
  try {
    told?.(...what);
  } catch (error) {
    console.error(error);
  }
}

/** @implements {Topic} */
export class Followed {
  joined = false;
  memberCount = 0;
  /** @type {Person[]} */
  members = [];
  /** @type {Map<number, string>} by number of the event, what it says so far */
  #growing = new Map();
  #attempt = 0;
  /** @type {any} no number where the topic does not count */
  #unread;
  #joined = 0; // where the log ended then: what comes after that is not counted yet
  /** @type {any} */
  #retry = 0;

  /**
   * @param {Page} page
   * @param {string} name
   * @param {Options} options
   */
  constructor(page, name, options) {
    this.page = page;
    this.name = name;
    this.options = options;
    this.seq = options.since;
    this.epoch = options.epoch ?? "";
  }

  get unsent() {
    return this.page.outbox.of(this.name);
  }

  /** @param {unknown} data @param {{ id?: string }} [options] */
  send(data, options) {
    return this.page.send(this.name, data, options?.id);
  }

  /** @param {unknown} data */
  signal(data) {
    this.page.say({ type: "signal", topic: this.name, data });
  }

  read(seq = this.seq) {
    this.page.say({ type: "read", topic: this.name, seq });
  }

  // Stops an event that grows.
  /** @param {number} seq */
  cancel(seq) {
    this.page.cancel(this.name, seq);
  }

  leave() {
    this.away();
    this.page.leave(this);
  }

  // Nothing comes until it is joined again.
  away() {
    clearTimeout(this.#retry);
    this.#retry = 0;
    this.joined = false;
  }

  /** @param {Frame} frame */
  hear(frame) {
    const { type, seq = 0, epoch } = frame;
    if (type === "joined") this.#begin(frame);
    else if (type === "error" || type === "left") this.#lose(frame);
    else if (type === "unread") this.#count(frame.unread);
    else if (!this.joined) return;
    else if (type === "event" || type === "change") this.#place(frame);
    else if (type === "more") this.#grow(frame);
    else if (type === "signal") tell(this.options.onSignal, frame);
    else if (type === "presence") this.#meet(frame);
    else if (type === "seq" && (seq > (this.seq ?? 0) || (epoch && epoch !== this.epoch))) this.#again();
  }

  // Where it cannot go on from what the page has, the latest events replace that.
  /** @param {Frame} frame */
  #begin({ recovered, epoch, seq, events, unread, ...frame }) {
    this.away();
    this.#attempt = 0;
    this.joined = true;
    this.epoch = epoch;
    if (!recovered) {
      if (this.seq !== undefined) tell(this.options.onReset);
      this.#growing.clear();
      this.seq = events.length ? events[0].seq - 1 : seq;
    }
    this.members = [];
    this.#meet({ ...frame, joined: frame.members });
    this.#joined = seq;
    this.#count(unread);
    for (const event of events) if (this.joined) this.#place(event);
    this.page.outbox.wake();
  }

  // Each number once and in order; where one is missing, it is asked for.
  /** @param {Frame} frame */
  #place(frame) {
    const next = (this.seq ?? 0) + 1;
    if (frame.seq > next) return this.#again();
    if (frame.seq < next) return;
    this.seq = next;
    if (frame.epoch) this.epoch = frame.epoch;
    if (frame.type === "change") {
      this.#growing.delete(frame.about);
      return tell(this.options.onChange, frame);
    }
    if (frame.data?.status === "growing") this.#growing.set(next, frame.data.text);
    if (frame.by?.key === this.page.you?.key) this.page.outbox.acked(frame); // before its ack, or instead of it
    else if (next > this.#joined && !frame.retracted) this.#count(this.#unread + 1);
    if (!frame.retracted) tell(this.options.onEvent, frame);
  }

  // Some is told twice. What was lost is asked for when it is stored, or comes with the end.
  /** @param {Frame} frame */
  #grow({ topic, seq, at, text }) {
    const had = this.#growing.get(seq) ?? "";
    if (at > had.length) return (this.#retry ||= setTimeout(() => this.#again(), 500));
    if (at + text.length <= had.length) return;
    const all = had.slice(0, at) + text;
    this.#growing.set(seq, all);
    tell(this.options.onMore, { topic, seq, text: all });
  }

  /** @param {any} unread */
  #count(unread) {
    this.#unread = unread;
    if (unread >= 0) tell(this.options.onUnread, unread);
  }

  #again() {
    this.away();
    this.page.rejoin(this);
  }

  /** @param {Frame} frame */
  #meet({ joined, left = [], member_count }) {
    const changed = [...joined, ...left].map((person) => person.key);
    this.members = [...this.members.filter((person) => !changed.includes(person.key)), ...joined];
    this.memberCount = member_count;
    tell(this.options.onMembers, this.members, member_count);
  }

  // What was asked for is not to be had, now or ever; or it is over.
  /** @param {Frame} frame */
  #lose(frame) {
    if (!this.joined && isPassing(frame)) {
      this.away();
      this.#retry = setTimeout(() => this.#again(), frame.retry_after_ms ?? backOff(++this.#attempt));
      return;
    }
    if (!this.joined || frame.type === "left") {
      this.away();
      this.page.forget(this);
    }
    tell(this.options.onError, new Refused({ code: frame.reason, detail: frame.reason, ...frame }));
  }
}
