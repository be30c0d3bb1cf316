// What hangs on a message: pictures as previews whose size is known before they are there, all else as links.

import { locale } from "./words.js";

const BOX = 320; // pixels, as in files/attached.py

export function showFiles(item, files) {
  const list = item.querySelector(".files");
  const shown = (Array.isArray(files) ? files : []).filter((file) => /^[0-9a-f]{32}$/.test(file?.id));
  list.hidden = !shown.length;
  if (shown.map(({ id }) => id).join() === list.dataset.ids) return;
  list.dataset.ids = shown.map(({ id }) => id).join();
  list.replaceChildren(
    ...shown.map((file) => {
      const entry = document.createElement("li");
      entry.append(file.width > 0 && file.height > 0 ? picture(file) : link(file));
      return entry;
    }),
  );
}

function picture({ id, name, width, height }) {
  const scale = Math.min(1, BOX / width, BOX / height);
  const image = document.createElement("img");
  Object.assign(image, { alt: name, loading: "lazy" });
  image.width = Math.max(1, Math.round(width * scale));
  image.height = Math.max(1, Math.round(height * scale));
  image.src = `files/${id}/preview/`;
  const around = anchor(id, "picture");
  Object.assign(around, { target: "_blank", rel: "noopener" });
  around.append(image);
  return around;
}

function link({ id, name, size }) {
  const around = anchor(id, "file");
  around.download = "";
  const [words, bytes] = [document.createElement("span"), document.createElement("span")];
  words.dir = "auto";
  words.textContent = name;
  bytes.className = "soft";
  bytes.textContent = inWords(size);
  around.append(words, " ", bytes);
  return around;
}

function anchor(id, name) {
  const element = document.createElement("a");
  element.className = name;
  element.setAttribute("href", `files/${id}/`);
  return element;
}

export function inWords(bytes) {
  const [unit, size] = bytes >= 2 ** 20 ? ["megabyte", bytes / 2 ** 20] : ["kilobyte", Math.max(0.1, bytes / 2 ** 10)];
  return new Intl.NumberFormat(locale, { style: "unit", unit, maximumFractionDigits: 1 }).format(size);
}
