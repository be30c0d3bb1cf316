// One file on its way to the server, in pieces: after a cut line it asks how much is there, and goes on from that.

import { gettext, interpolate } from "./words.js";

const TRIES_MS = [500, 1_000, 2_000, 4_000, 8_000];
const TUS = "1.0.0";
const PATIENCE_MS = 60_000; // for one piece, on a line that carries nothing and tells nobody

export class Refused extends Error {}

export class Upload {
  #ended = new AbortController();
  #url = "";
  #sent = 0;

  // onProgress(share): from 0 to 1. onWait(yes): the line is cut, or is there again.
  constructor(file, { url, token, onProgress, onWait }) {
    Object.assign(this, { file, url, token, onProgress, onWait });
  }

  // What the server says of the file. Raises Refused with a sentence; goes on trying where the line is cut.
  async send() {
    const named = `filename ${base64(this.file.name)},filetype ${base64(this.file.type)}`;
    const headers = { "Upload-Length": this.file.size, "Upload-Metadata": named };
    const begun = await this.#insist(() => this.#ask(this.url, "POST", headers));
    const { id, piece } = await begun.json();
    this.#url = `${this.url}${id}/`;
    for (;;) {
      const answer = await this.#insist(() => this.#next(piece));
      this.onProgress(this.#sent / this.file.size);
      if (this.#sent < this.file.size) continue;
      const said = await answer.json().catch(() => ({}));
      if (said.id) return said;
    }
  }

  // Nobody wants it any more.
  stop() {
    this.#ended.abort();
    if (this.#url) this.#ask(this.#url, "DELETE", {}, undefined, new AbortController().signal).catch(() => {});
  }

  async #next(piece) {
    const headers = { "Upload-Offset": this.#sent, "Content-Type": "application/offset+octet-stream" };
    const answer = await this.#ask(this.#url, "PATCH", headers, this.file.slice(this.#sent, this.#sent + piece));
    this.#sent = Number(answer.headers.get("Upload-Offset"));
    return answer;
  }

  async #insist(ask) {
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await ask();
        this.onWait(false);
        return answer;
      } catch (error) {
        if (error instanceof Refused || this.#ended.signal.aborted) throw error;
        this.onWait(true);
        await this.#pause(TRIES_MS[Math.min(attempt, TRIES_MS.length - 1)]);
        if (this.#url) await this.#look();
      }
    }
  }

  async #look() {
    try {
      const answer = await this.#ask(this.#url, "HEAD", {});
      this.#sent = Number(answer.headers.get("Upload-Offset"));
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
  }

  // A page that is back on the line need not wait.
  #pause(ms) {
    return new Promise((resolve) => {
      setTimeout(resolve, ms);
      addEventListener("online", resolve, { once: true });
    });
  }

  async #ask(url, method, headers, body, signal = this.#ended.signal) {
    const sent = { "Tus-Resumable": TUS, "X-CSRFToken": this.token, ...headers };
    const answer = await fetch(url, { method, headers: sent, body, signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]) });
    if (answer.ok) return answer;
    if (answer.status === 409) return answer; // it goes on elsewhere
    if (answer.status >= 500 || answer.headers.has("Retry-After")) throw new Error(answer.status);
    const { detail } = await answer.json().catch(() => ({}));
    throw new Refused(detail ?? interpolate(gettext("This was not taken (%(status)s)."), answer));
  }
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
