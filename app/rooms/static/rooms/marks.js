// A person's mark and colour, as rooms/marks.py draws them: two people of one name are not taken for each other.

export function showMark(element, { key }) {
  const bits = parseInt(key.slice(0, 5), 16) || 0;
  for (const name of [...element.classList]) if (name.startsWith("hue-")) element.classList.remove(name);
  element.classList.add(`hue-${bits & 15}`);
  element.querySelector(".mark path").setAttribute("d", path(bits >> 4));
}

function path(cells) {
  let drawn = "";
  for (let y = 0; y < 5; y++) {
    const bits = (cells >> (3 * y)) & 7;
    [0, 1, 2, 1, 0].forEach((column, x) => (drawn += (bits >> column) & 1 ? `M${x} ${y}h1v1h-1z` : ""));
  }
  return drawn;
}
