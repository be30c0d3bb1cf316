// The tab's title and icon say what is new, also while another tab is looked at.

const COUNT = /^\(@?\d+\+?\) /;
const DOT = '<circle cx="25" cy="7" r="7" fill="#d33a2c"/></svg>';
const MOST = 99; // as in rooms/listing.py

export const shown = (number) => (number > MOST ? `${MOST}+` : String(number));

export class Attention {
  #title = document.title.replace(COUNT, "");
  #icon = document.querySelector("link[rel=icon]");
  #plain = this.#icon.href;
  #dotted; // the icon with a dot, as soon as it is drawn
  #wanted = false;

  // Mentions, else all that is new.
  show({ unread, mentions }) {
    const count = mentions ? `(@${shown(mentions)}) ` : unread ? `(${shown(unread)}) ` : "";
    document.title = count + this.#title;
    this.#wanted = Boolean(count);
    this.#draw();
  }

  async #draw() {
    if (this.#wanted) this.#dotted ??= dotted(this.#plain);
    const href = this.#wanted ? await this.#dotted : this.#plain;
    if (this.#icon.href !== href && href !== this.#plain === this.#wanted) this.#icon.href = href;
  }
}

// Drawn into the icon's own picture. Where that cannot be had, the icon stays as it is.
async function dotted(address) {
  try {
    const picture = await (await fetch(address)).text();
    return `data:image/svg+xml,${encodeURIComponent(picture.replace("</svg>", DOT))}`;
  } catch {
    return address;
  }
}
