// What a body looks like: links, and code between back-ticks, as rooms/markup.py has them. Every character stays where it
// was, back-ticks too: what is copied, or edited here, is what was said.

const OUT = String.raw`\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff<>"\x60()`;
const END = String.raw`.,:;!?'\[\]{}*_~。，、：；！？」』】）`;
const INNER = String.raw`\([^${OUT}]*\)`;
const LINK = String.raw`(?<![A-Za-z0-9])(?:https?://|mailto:)(?:[^${OUT}]|${INNER})*(?:[^${OUT}${END}]|${INNER})`;
const PARTS = new RegExp(String.raw`(?<block>\x60{3}[^\x60]+\x60{3}\n?)|(?<code>\x60[^\x60\n]+\x60)|(?<link>${LINK})`, "gu");

export function showMarkup(element, body) {
  const pieces = [];
  let end = 0;
  for (const { 0: text, index, groups } of body.matchAll(PARTS)) {
    pieces.push(body.slice(end, index), groups.link ? link(text) : code(text, groups.block));
    end = index + text.length;
  }
  element.replaceChildren(...pieces, body.slice(end));
}

// What is said in so many words: neither code nor addresses.
export function withoutCode(body) {
  return body.replace(PARTS, " ");
}

function link(address) {
  const element = document.createElement("a");
  element.setAttribute("href", address);
  element.target = "_blank";
  element.rel = "noopener noreferrer nofollow ugc";
  element.textContent = address;
  return element;
}

function code(text, isBlock) {
  const element = document.createElement("code");
  if (isBlock) element.className = "block";
  element.textContent = text;
  return element;
}
