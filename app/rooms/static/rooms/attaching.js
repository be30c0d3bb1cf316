// Files for the message that is being written: by button, paste and drop. Each is sent at once, and said with the message.

import { inWords } from "./files.js";
import { Refused, Upload } from "./uploads.js";
import { gettext, interpolate, ngettext } from "./words.js";

export class Attaching {
  #list = document.getElementById("attached");
  #input = document.getElementById("id_files");
  #button = document.getElementById("attach");
  #entries = []; // { element, upload?, file?: as the server has it }
  #known = new Map(); // by id, what the server has said of files here
  #queue = Promise.resolve();

  // form: what is written in. most, bytes: files of a message, and bytes of a file. onChange(): something has come, or
  // gone. onTrouble(sentence).
  constructor({ form, most, bytes, onChange, onTrouble }) {
    Object.assign(this, { form, most, bytes, onChange, onTrouble });
    if (!this.#input) return;
    this.token = form.querySelector("[name=csrfmiddlewaretoken]").value;
    this.#input.hidden = true;
    this.#button.hidden = false;
    this.#button.addEventListener("click", () => this.#input.click());
    this.#input.addEventListener("change", () => {
      this.add(this.#input.files);
      this.#input.value = "";
    });
    form.addEventListener("paste", (event) => this.#take(event, event.clipboardData));
    const room = document.getElementById("room");
    room.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
    room.addEventListener("drop", (event) => this.#take(event, event.dataTransfer));
  }

  get count() {
    return this.#entries.length;
  }

  // Whether some are still on their way.
  get busy() {
    return this.#entries.some(({ file }) => !file);
  }

  // What the server has said of those that are there.
  get files() {
    return this.#entries.map(({ file }) => file).filter(Boolean);
  }

  describe(ids) {
    return (ids ?? []).map((id) => this.#known.get(id)).filter(Boolean);
  }

  // They are said with a message, which is on its way: the next one begins without.
  take() {
    const ids = this.files.map(({ id }) => id);
    for (const entry of this.#entries) this.#remove(entry);
    return ids;
  }

  // Back from a draft, or from a message that was not accepted.
  restore(files) {
    for (const file of this.#input ? files : []) {
      this.#known.set(file.id, file);
      if (!this.#entries.some((entry) => entry.file?.id === file.id)) this.#put({ file }, file);
    }
    this.#show();
  }

  add(files) {
    for (const file of files) {
      if (this.#entries.length >= this.most) return this.onTrouble(tooMany(this.most));
      if (file.size > this.bytes) {
        const words = gettext("%(name)s is too large: a file has at most %(most)s.");
        this.onTrouble(interpolate(words, { name: file.name, most: inWords(this.bytes) }));
        continue;
      }
      this.#send(file);
    }
  }

  #take(event, given) {
    if (!given?.files.length) return;
    event.preventDefault();
    this.add(given.files);
  }

  // One after the other: two at once would each take twice as long.
  #send(file) {
    const entry = {};
    const bar = document.createElement("progress");
    const element = this.#put(entry, file, bar);
    bar.max = 1;
    bar.value = 0;
    entry.upload = new Upload(file, {
      url: "files/",
      token: this.token,
      onProgress: (share) => (bar.value = share),
      onWait: (yes) => element.classList.toggle("waits", yes),
    });
    this.#show();
    this.#queue = this.#queue.then(async () => {
      if (!this.#entries.includes(entry)) return;
      try {
        entry.file = await entry.upload.send();
        this.#known.set(entry.file.id, entry.file);
        bar.remove();
      } catch (error) {
        this.#remove(entry);
        if (error instanceof Refused) this.onTrouble(error.message);
      }
      this.#show();
      this.onChange();
    });
  }

  #put(entry, { name, size }, ...more) {
    const element = document.createElement("li");
    const ariaLabel = interpolate(gettext("Leave out %(name)s"), { name });
    const [words, bytes, button] = ["span", "span", "button"].map((tag) => document.createElement(tag));
    words.dir = "auto";
    words.textContent = name;
    bytes.className = "soft";
    bytes.textContent = inWords(size);
    Object.assign(button, { type: "button", className: "quiet", textContent: "×", ariaLabel });
    button.addEventListener("click", () => {
      entry.upload?.stop();
      this.#remove(entry);
      this.onChange();
    });
    element.append(words, " ", bytes, ...more, button);
    this.#list.append(element);
    entry.element = element;
    this.#entries.push(entry);
    return element;
  }

  #remove(entry) {
    entry.element.remove();
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#show();
  }

  #show() {
    this.#list.hidden = !this.#entries.length;
  }
}

function tooMany(most) {
  return interpolate(ngettext("A message has at most %(most)s file.", "A message has at most %(most)s files.", most), { most });
}
