// A bad line between this page and its server. What is sent and heard is late by `delay` ms; of what the server may
// leave out as well, `loss` in a hundred is lost; and it can be cut. Acks cannot get lost on a socket that stands.

const LOSSY = ["event", "change", "signal", "presence"];
const Real = globalThis.WebSocket;
const standing = new Set();

export const line = { delay: 0, loss: 0 };

// As in a tunnel: nobody says goodbye.
export function cut() {
  for (const socket of [...standing]) socket.cut();
}

class BadSocket {
  onopen = null;
  onmessage = null;
  onclose = null;
  #socket;
  #sent = 0; // when what was put on the line last is due, each way: nothing overtakes
  #heard = 0;

  constructor(url, protocols) {
    const socket = (this.#socket = new Real(url, protocols));
    standing.add(this);
    socket.onopen = (event) => this.onopen?.(event);
    socket.onmessage = ({ data }) => {
      const frames = [JSON.parse(data)].flat().filter(({ type }) => !LOSSY.includes(type) || Math.random() * 100 >= line.loss);
      this.#heard = later(this.#heard, () => frames.length && this.onmessage?.({ data: JSON.stringify(frames) }));
    };
    socket.onclose = (event) => this.#end(event);
  }

  get readyState() {
    return this.#socket.readyState;
  }

  send(data) {
    this.#sent = later(this.#sent, () => this.#socket.readyState === Real.OPEN && this.#socket.send(data));
  }

  close() {
    standing.delete(this);
    this.#socket.close();
  }

  cut() {
    this.#socket.onclose = this.#socket.onmessage = null;
    this.#socket.close();
    this.#end({ code: 1006 });
  }

  #end(event) {
    standing.delete(this);
    this.onclose?.(event);
  }
}

// Not before what was put on the line before it.
function later(last, act) {
  const due = Math.max(last, performance.now() + line.delay);
  const wait = due - performance.now();
  if (wait > 0) setTimeout(act, wait);
  else act();
  return due;
}

globalThis.WebSocket = BadSocket; // before anything connects
