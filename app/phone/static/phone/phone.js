// The site on a phone: the service worker, and notifications of what is new while nobody looks.

const { worker, push, mention, message } = document.getElementById("phone").dataset;
const box = document.getElementById("lobby");
const device = document.getElementById("device");
const key = box?.dataset.key;
const room = document.getElementById("room")?.dataset.room;
const settings = localSettings();
let state; // the server's key, and what she wants to be told of in which room

// Wanted in this browser, by whoever is here now; and whether what was said may be shown.
const wanted = () => settings?.getItem("notify") === key && Notification.permission === "granted";
const words = () => settings?.getItem("notify-words") ?? "";
const ready = () => navigator.serviceWorker.ready;

if ("serviceWorker" in navigator) {
  addEventListener("load", () => navigator.serviceWorker.register(worker).catch(() => {}));
  navigator.serviceWorker.addEventListener("message", ({ data }) => data.open && open(data.open));
  if (key && settings && "Notification" in window) begin();
}

function begin() {
  box.addEventListener("fresh", ({ detail }) => tell(detail));
  document.addEventListener("visibilitychange", clear);
  clear();
  if (wanted()) subscribe();
  if (!device) return;
  device.hidden = false;
  const [on, off, shown] = ["on", "off", "words"].map((name) => document.getElementById(`device-${name}`));
  const told = document.getElementById("device-told");
  const draw = (sentence = "") => {
    on.hidden = wanted();
    off.hidden = !wanted();
    told.textContent = sentence;
  };
  const ask = async () => {
    if ((await Notification.requestPermission()) !== "granted") return draw(device.dataset.denied);
    settings.setItem("notify", key);
    const pushed = await subscribe();
    draw(device.dataset[pushed ? "pushed" : "open"]);
    off.focus();
  };
  shown.checked = words() !== "";
  shown.addEventListener("change", () => {
    settings.setItem("notify-words", shown.checked ? "1" : "");
    if (wanted()) subscribe();
  });
  on.addEventListener("click", ask);
  off.addEventListener("click", async () => {
    settings.removeItem("notify");
    await unsubscribe();
    draw();
    on.focus();
  });
  draw();
}

// Says to the server where this browser is to be pushed to. Whether it will be: not every browser has a push service.
async function subscribe() {
  try {
    state ??= await (await fetch(push)).json();
    const { pushManager } = await ready();
    if (!state.key || !pushManager) return false;
    let found = await pushManager.getSubscription();
    if (found && keyOf(found) !== state.key) {
      await found.unsubscribe();
      found = null;
    }
    found ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: state.key });
    const { endpoint, keys } = found.toJSON();
    return (await post(push, { endpoint, ...keys, words: words() })).ok;
  } catch {
    return false;
  }
}

async function unsubscribe() {
  try {
    const found = await (await ready()).pushManager.getSubscription();
    if (!found) return;
    await post(device.dataset.end, { endpoint: found.endpoint });
    await found.unsubscribe();
  } catch {
    // The server hears of it from the push service, or she is told once more.
  }
}

function post(address, fields) {
  const csrfmiddlewaretoken = document.querySelector("[name=csrfmiddlewaretoken]").value;
  return fetch(address, { method: "POST", body: new URLSearchParams({ csrfmiddlewaretoken, ...fields }) });
}

// The key by which a browser has subscribed, as the server writes it.
function keyOf({ options }) {
  const bytes = new Uint8Array(options.applicationServerKey ?? []);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// A page that is open and not looked at says at once what a push would say: of the two, the later one is shown.
async function tell({ topic, fresh }) {
  if (!document.hidden || !wanted()) return;
  state ??= await (await fetch(push)).json();
  const level = state.levels[topic] ?? "mentions";
  const mentions = fresh.filter((one) => one.includes(key, 2));
  const [seq] = (level === "all" ? fresh : level === "mentions" ? mentions : []).at(-1) ?? [];
  if (!seq) return;
  const row = [...box.querySelectorAll("[data-topic]")].find((one) => one.dataset.topic === topic);
  const name = row.querySelector(".name").textContent;
  const url = `${row.querySelector("a").getAttribute("href")}?at=${seq}#m${seq}`;
  (await ready()).showNotification(name, { body: mentions.length ? mention : message, tag: topic, data: { url } });
}

// What is seen need not be told any more.
async function clear() {
  if (!room || document.hidden) return;
  for (const shown of await (await ready()).getNotifications({ tag: `room/${room}` })) shown.close();
}

// The message that a notification told of: on this page, or by a link, as which whatever is being written is kept.
function open(url) {
  const { pathname, hash } = new URL(url, location);
  const item = pathname === location.pathname && document.getElementById(hash.slice(1));
  if (!item) return Object.assign(document.body.appendChild(document.createElement("a")), { href: url }).click();
  location.hash = hash;
  item.tabIndex = -1;
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "center" });
}

// Merely asking for it raises where the person has switched it off.
function localSettings() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
