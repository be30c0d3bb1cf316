// Times as the person's clock and language have them. The server writes UTC.

const today = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const earlier = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function showTime(element, at) {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  element.dateTime = at;
  element.textContent = (isToday ? today : earlier).format(date);
  element.title = earlier.format(date);
}
