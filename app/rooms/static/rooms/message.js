// One message as an element of the page: what stands in it, and how it stands to the one before.

import { hush } from "./hushed.js";
import { showMark } from "./marks.js";
import { showMarkup } from "./markup.js";
import { showDay, showTime } from "./times.js";
import { gettext } from "./words.js";

const CLOSE_MS = 5 * 60_000; // what one person says within this time stands under one name
const GONE = gettext("Message removed");
const FORMER = "Former member"; // as in topics/people.py
const NOBODY = { key: "", name: "", guest: false };

const pattern = document.getElementById("message").content.firstElementChild;

// What is not in the log yet has no number and no time. `quote`: the element of what it answers.
export function make({ seq, id, by, body, at, edited, retracted, quote }) {
  const item = pattern.cloneNode(true);
  item.id = "";
  item.dataset.id = id;
  showAuthor(item, by ?? NOBODY);
  showBody(item, { body, edited });
  item.querySelector(".time").textContent = "";
  if (quote) item.querySelector(".line").before(quote);
  delete item.dataset.seq;
  if (seq) place(item, seq, at);
  if (retracted) removeWords(item);
  return item;
}

// From here on it is the log's message of that number.
export function place(item, seq, at) {
  item.id = `m${seq}`;
  item.dataset.seq = seq;
  item.querySelector(".link").href = `?at=${seq}#m${seq}`;
  item.querySelector(".reply").href = `?reply=${seq}#say`;
  item.querySelector(".react").href = `${seq}/react/`;
  item.querySelector(".more").href = `${seq}/about/`;
  item.querySelector(".unhush").href = `#m${seq}`;
  for (const tool of item.querySelectorAll(".link, .reply, .react, .more")) tool.hidden = false;
  item.querySelector(".change").href = `${seq}/`;
  showTime(item.querySelector(".time"), at);
}

// The server has written its time as UTC has it.
export function localize(item) {
  const time = item.querySelector(".time");
  showTime(time, time.dateTime);
}

export function own(item, yes) {
  item.classList.toggle("mine", yes);
  item.querySelector(".change").hidden = !yes || !item.dataset.seq || item.classList.contains("gone");
}

// Whether it mentions whoever reads it here.
export function mention(item, keys, you) {
  const yes = Array.isArray(keys) && keys.includes(you.key);
  item.classList.toggle("for-you", yes);
  item.querySelector(".mention").hidden = !yes;
}

export function showBody(item, { body, edited }) {
  showMarkup(item.querySelector(".body"), body);
  item.querySelector(".edited").hidden = !edited;
}

export function rename(item, name) {
  item.querySelector(".author").textContent = called(name);
}

export function removeWords(item) {
  showAuthor(item, NOBODY);
  showBody(item, { body: GONE });
  item.querySelector(".quote")?.remove();
  item.classList.add("gone");
  own(item, false);
}

// A day is said at its first message. `follows`: the same person goes on talking, so the name is not said again.
export function join(before, item) {
  const at = timeOf(item);
  const isNewDay = !before || timeOf(before).toDateString() !== at.toDateString();
  const day = item.querySelector(".day");
  day.hidden = !isNewDay;
  if (isNewDay) showDay(day.firstElementChild, item.querySelector(".time").dateTime);
  const sameAuthor = before && item.dataset.key && before.dataset.key === item.dataset.key;
  const sameName = before && nameIn(before) === nameIn(item);
  item.classList.toggle("follows", Boolean(!isNewDay && sameAuthor && sameName && at - timeOf(before) < CLOSE_MS));
}

function showAuthor(item, by) {
  item.dataset.key = by.key;
  item.querySelector(".author").textContent = called(by.name);
  item.querySelector(".guest").hidden = !by.guest;
  showMark(item, by);
  hush(item);
}

// Nobody else can have that name.
export const called = (name) => (name === FORMER ? gettext("Former member") : name);

const timeOf = (item) => new Date(item.querySelector(".time").dateTime);
const nameIn = (item) => item.querySelector(".author").textContent;
