// Where the person reads. The style sheet keeps the end in sight by itself; who has scrolled up into the past
// must not see it move, and is told that something new has come.

const NEAR_PX = 48;

export class Scroller {
  #box = document.getElementById("history");
  #flow = this.#box.firstElementChild;
  #button = document.getElementById("latest");
  #away = false;
  #held = false;

  constructor() {
    this.#box.addEventListener("scroll", () => this.#look(), { passive: true });
    this.#button.addEventListener("click", () => this.toEnd());
  }

  toEnd() {
    this.#box.scrollTop = 0;
    this.#look();
  }

  // To be called before something is added below `item`: it stays where it is seen. One measurement a
  // picture, however much is added.
  hold(item) {
    if (this.#held || !item || !this.#away) return;
    this.#held = true;
    const before = this.#fromEnd(item);
    requestAnimationFrame(() => {
      this.#held = false;
      if (item.isConnected) this.#box.scrollTop -= this.#fromEnd(item) - before;
      this.#button.hidden = false;
    });
  }

  // In the reversed box the end is at 0, and the past has negative numbers.
  #look() {
    this.#away = this.#box.scrollTop < -NEAR_PX;
    if (!this.#away) this.#button.hidden = true;
  }

  #fromEnd(item) {
    return this.#flow.getBoundingClientRect().bottom - item.getBoundingClientRect().top;
  }
}
