// The inspector: what there is, looked at every two seconds, and one topic to try by a socket of the page's own.

import { cut, line } from "./line.js";
import { connect } from "../client.js";

const LOOK_MS = 2_000;
const MOST = 200; // lines that stay
const $ = (id) => document.getElementById(id);

let joined = null;
let before = new Map(); // when it was looked at last: [number, moment] by topic

// --- What there is ---

async function look() {
  try {
    const query = new URLSearchParams({ q: $("part").value });
    const answer = await fetch(`?${query}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.status === 403 ? "You may not look here any more." : `${answer.status}`);
    const { topics } = await answer.json();
    const now = performance.now();
    $("topics").replaceChildren(...topics.map((topic) => row(topic, now)));
    before = new Map(topics.map(({ name, seq }) => [name, [seq, now]]));
    $("trouble").value = "";
  } catch (error) {
    $("trouble").value = `Not up to date: ${error.message}`;
  }
  setTimeout(look, LOOK_MS);
}

function row({ name, seq, members, last }, now) {
  const button = element("button", name);
  button.addEventListener("click", () => follow(name));
  const [number, moment] = before.get(name) ?? [seq, now - LOOK_MS];
  const rate = ((seq - number) * 1000) / (now - moment);
  const cells = [button, seq, rate.toFixed(1), members ?? "?", last ?? ""];
  const tr = document.createElement("tr");
  tr.append(...cells.map((cell) => element("td", cell)));
  return tr;
}

// --- One to try ---

const connection = connect({ onState: ({ name, http }) => ($("state").value = http ? `${name} by HTTP` : name) });

function follow(name) {
  joined?.leave();
  $("heard").replaceChildren();
  $("join").elements.topic.value = name;
  joined = connection.join(name, {
    onEvent: ({ seq, by, data }) => tell(`#${seq}`, by?.name ?? "nobody", JSON.stringify(data)),
    onChange: ({ seq, about, data, retracted }) =>
      tell(`#${seq}`, `changes #${about}:`, retracted ? "taken back" : JSON.stringify(data)),
    onSignal: ({ by, data }) => tell("~", by?.name ?? "nobody", JSON.stringify(data)),
    onMembers: (members, count) => tell("here:", count, members.map((one) => one.name).join(", ")),
    onReset: () => tell("reset: what came before cannot be continued"),
    onError: ({ code, detail }) => tell("error", `${code}:`, detail),
  });
}

$("join").addEventListener("submit", (event) => {
  event.preventDefault();
  follow(event.target.elements.topic.value);
});

$("send").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const data = JSON.parse(event.target.elements.data.value);
    if (!joined) throw new Error("join a topic first");
    if (event.submitter?.value === "signal") return joined.signal(data);
    const { seq } = await joined.send(data);
    tell("ack", seq === null ? "nothing was appended" : `#${seq}`);
  } catch (error) {
    tell("refused:", error.message);
  }
});

$("cut").addEventListener("click", () => {
  tell("cut");
  cut();
});

for (const name of ["delay", "loss"]) {
  $(name).addEventListener("input", ({ target }) => {
    line[name] = Number(target.value);
    document.querySelector(`output[for=${name}]`).value = target.value;
  });
}

function tell(...words) {
  $("heard").append(element("li", words.join(" ")));
  while ($("heard").children.length > MOST) $("heard").firstElementChild.remove();
}

function element(name, content) {
  const made = document.createElement(name);
  made.append(content);
  return made;
}

look();
