// Where the person reads. The style sheet keeps the end in sight by itself; who has scrolled up into the past must not see
// it move, and is told how much has come since.

import { gettext, interpolate, ngettext } from "./words.js";

const NEAR_PX = 48;

export class Scroller {
  isAway = false; // from the end
  #box = document.getElementById("history");
  #flow = this.#box.firstElementChild;
  #button = document.getElementById("latest");
  #held = false;
  #looked = false;
  #new = 0;
  #moved = false;

  // isCut(): whether the log's end is not among what is here. onMove(): the person has scrolled. onLatest(): she wants
  // to see the end.
  constructor({ isCut, onMove, onLatest }) {
    Object.assign(this, { isCut, onMove });
    this.#box.addEventListener("scroll", () => this.#look(), { passive: true });
    this.#button.addEventListener("click", onLatest);
  }

  // How much of what is here is above and below what is seen, in windows' heights.
  get place() {
    const { clientHeight, scrollHeight, scrollTop } = this.#box;
    return {
      above: (scrollHeight - clientHeight + scrollTop) / clientHeight,
      below: -scrollTop / clientHeight,
      moved: this.#moved,
    };
  }

  toEnd() {
    this.#box.scrollTop = 0;
    this.#look();
  }

  // Somebody has said something at the end of the log.
  count() {
    if (!this.isAway && !this.isCut()) return;
    this.#new++;
    this.show();
  }

  // To be called before something is added below `item`: it stays where it is seen. One measurement a picture, however
  // much is added. `always`: also where the end of what is here is seen.
  hold(item, always = false) {
    this.#lookOnce();
    if (this.#held || !item || !(this.isAway || always)) return;
    this.#held = true;
    const before = this.#fromEnd(item);
    requestAnimationFrame(() => {
      this.#held = false;
      if (item.isConnected) this.#box.scrollTop -= this.#fromEnd(item) - before;
    });
  }

  // The browser tells of scrolling with the next picture, and something may come before it.
  #lookOnce() {
    if (this.#looked) return;
    this.#looked = true;
    requestAnimationFrame(() => (this.#looked = false));
    this.#measure();
  }

  // In the reversed box the end is at 0, and the past has negative numbers.
  #measure() {
    this.isAway = this.#box.scrollTop < -NEAR_PX;
  }

  #look() {
    this.#moved = true;
    this.#measure();
    if (!this.isAway && !this.isCut()) this.#new = 0;
    this.show();
    this.onMove();
  }

  show() {
    this.#button.hidden = !this.isAway && !this.isCut();
    const words = this.#new ? ngettext("%(count)s new", "%(count)s new", this.#new) : gettext("Latest messages");
    this.#button.textContent = `${interpolate(words, { count: this.#new })} ↓`;
  }

  #fromEnd(item) {
    return this.#flow.getBoundingClientRect().bottom - item.getBoundingClientRect().top;
  }
}
