// The line that says how things stand with the server. `data-state` is for the style sheet and for programs.

import { gettext, interpolate } from "./words.js";

const CLOSED = {
  4400: gettext("The server did not understand this page. Reload it."),
  4401: gettext("You are not logged in here any more. Log in to talk, or reload the page."),
  4403: gettext("You may not be in this room."),
  4404: gettext("There is no such room."),
  4410: gettext("You have been disconnected. Reload the page to come back."),
  changed: gettext("You are somebody else here now. Reload the page."),
};
const OFFLINE = gettext("You are offline. Reconnecting when there is a network");

const NAMES = { connecting: "connecting", online: "live", offline: "waiting", closed: "closed" }; // for the style sheet

export class Status {
  #line = document.getElementById("connection");
  #words = this.#line.querySelector(".words");
  #clock = this.#line.querySelector(".clock");
  #now = document.getElementById("redial");
  #login = document.getElementById("login");
  #ticking = 0;
  #away = gettext("Connecting…"); // what is said while there is no connection

  constructor({ onRedial }) {
    this.#now.addEventListener("click", onRedial);
    this.#line.hidden = false;
  }

  show(state) {
    clearInterval(this.#ticking);
    this.#line.dataset.state = NAMES[state.name];
    this.#say(this.#sentence(state));
    this.#clock.textContent = "";
    this.#now.hidden = !state.until || state.ordered;
    this.#login.hidden = state.code !== 4401;
    if (state.until) this.#count(state.until);
  }

  // A screen reader hears every change: dialling again and again is one absence, and is said once.
  #say(words) {
    if (this.#words.textContent !== words) this.#words.textContent = words;
  }

  #sentence({ name, code, until, http, why }) {
    if (name === "online") return http ? gettext("Live, without WebSocket") : gettext("Live");
    if (name === "closed") return why || (CLOSED[code] ?? gettext("The server has closed this room to you. Reload the page to try again."));
    if (name === "offline") this.#away = until ? gettext("Reconnecting") : OFFLINE;
    return this.#away;
  }

  // Counts down for the eye only: a screen reader that hears every second hears nothing else.
  #count(until) {
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      this.#clock.textContent = interpolate(gettext("in %(seconds)s s"), { seconds });
    };
    tick();
    this.#ticking = setInterval(tick, 1000);
  }
}
