// Whom the reader does not want to read, by key: their messages stand there without words until she asks for them.

const room = document.getElementById("room").dataset;
let hidden = keys(room.hidden);

export function hush(item) {
  item.classList.toggle("hushed", hidden.has(item.dataset.key));
}

// From now on these.
export function hide(list) {
  room.hidden = list;
  hidden = keys(list);
  for (const item of document.querySelectorAll("#messages > li")) hush(item);
}

function keys(list) {
  return new Set(list?.split(".").filter(Boolean));
}
