// Keys that mean the same wherever the focus is: Escape closes what has opened, ? lists all keys.

const WRITING = "input, textarea, select, [contenteditable]";
const SHEETS = "details.rename[open]";

const list = document.getElementById("keys");
const button = document.getElementById("ask-keys");

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") close();
  else if (event.key === "?" && !event.target.closest?.(WRITING)) show(event);
});

// What is pressed outside of it closes a sheet, too.
addEventListener("click", ({ target }) => {
  for (const sheet of document.querySelectorAll(SHEETS)) if (!sheet.contains(target)) sheet.open = false;
});

if (button) {
  button.hidden = false;
  button.addEventListener("click", show);
}

function close() {
  const sheet = document.querySelector(SHEETS);
  if (!sheet) return;
  sheet.open = false;
  sheet.querySelector("summary").focus();
}

function show(event) {
  if (!list || list.open) return;
  event.preventDefault();
  list.showModal(); // closes by Escape itself, and the focus returns
}
