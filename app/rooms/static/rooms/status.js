// The line that says how things stand with the server. `data-state` is for the style sheet and for programs.

const CLOSED = {
  4400: "The server did not understand this page. Reload it.",
  4401: "Log in to talk here.",
  4403: "You may not be in this room.",
  4404: "There is no such room.",
};
const WORDS = { connecting: "Connecting…", live: "Live" };

export class Status {
  #line = document.getElementById("connection");
  #words = this.#line.querySelector(".words");
  #clock = this.#line.querySelector(".clock");
  #now = document.getElementById("redial");
  #login = document.getElementById("login");
  #ticking = 0;

  constructor({ onRedial }) {
    this.#now.addEventListener("click", onRedial);
    this.#line.hidden = false;
  }

  show(state) {
    clearInterval(this.#ticking);
    this.#line.dataset.state = state.name;
    this.#words.textContent = WORDS[state.name] ?? this.#absence(state);
    this.#clock.textContent = "";
    this.#now.hidden = state.name !== "waiting" || state.ordered;
    this.#login.hidden = state.code !== 4401;
    if (state.name === "waiting") this.#count(state.until);
  }

  #absence({ name, code }) {
    if (name === "closed") return CLOSED[code] ?? "The server has closed this room to you. Reload the page to try again.";
    return navigator.onLine ? "Reconnecting" : "You are offline. Reconnecting";
  }

  // Counts down for the eye only: a screen reader that hears every second hears nothing else.
  #count(until) {
    const tick = () => (this.#clock.textContent = `in ${Math.max(0, Math.ceil((until - Date.now()) / 1000))} s`);
    tick();
    this.#ticking = setInterval(tick, 1000);
  }
}
