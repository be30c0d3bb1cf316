// The page of a poll: what was voted, what waits to be sent, and how things stand.

import { connect } from "../topics/client.js";

const poll = document.getElementById("poll");
const votes = document.getElementById("votes");
const unsent = document.getElementById("unsent");
const state = document.getElementById("state");

const topic = connect().join(poll, {
  onEvent: ({ seq, data }) => list(votes, data.option).setAttribute("data-seq", seq),
  onUnsent(entries) {
    unsent.replaceChildren();
    for (const { data } of entries) list(unsent, data.option);
  },
  onMembers: (_, count) => (document.getElementById("count").textContent = count),
  onState: ({ name, http }) => (state.textContent = http ? `${name} by http` : name),
});

for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", () => vote(button.textContent));
}

async function vote(option) {
  const said = document.getElementById("said");
  try {
    said.textContent = `stored as ${(await topic.send({ option })).seq}`;
  } catch (error) {
    said.textContent = `${error.code}: ${error.detail}`;
  }
}

function list(parent, text) {
  const item = document.createElement("li");
  item.textContent = text;
  parent.append(item);
  return item;
}
