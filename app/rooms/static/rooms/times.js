// Times as the person's clock and language have them. The server writes UTC.

import { locale } from "./words.js";

const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
const whole = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" });
const day = new Intl.DateTimeFormat(locale, { dateStyle: "full" });

export function showTime(element, at) {
  const date = new Date(at);
  element.dateTime = at;
  element.textContent = clock.format(date);
  element.title = whole.format(date);
}

export function showDay(element, at) {
  element.dateTime = at;
  element.textContent = day.format(new Date(at));
}
