// The service worker. SHELL, which phone/shell.py puts before this, is what it keeps: the files that pages are made of,
// and a page that says that there is no network. It keeps no page of anybody's, and nothing that was said.

const CACHE = `shell ${SHELL.release}`;
const KEPT = 2; // releases: a page of the one before still finds its files

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => event.waitUntil(Promise.all([forget(), self.clients.claim()])));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => caches.match(SHELL.offline)));
  else if (SHELL.files.includes(pathname)) event.respondWith(file(request));
});

self.addEventListener("push", (event) => {
  const { title, body, url, tag, lang } = event.data.json();
  const { icon } = SHELL;
  event.waitUntil(self.registration.showNotification(title, { body, tag, lang, icon, dir: "auto", data: { url } }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.url));
});

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll([new Request(SHELL.offline, { cache: "reload", credentials: "omit" }), ...SHELL.files]);
}

// In the order in which they were made.
async function forget() {
  const names = (await caches.keys()).filter((name) => name.startsWith("shell ") && name !== CACHE);
  await Promise.all(names.slice(0, names.length - KEPT + 1).map((name) => caches.delete(name)));
}

// A name with a hash in it never means anything else.
async function file(request) {
  const kept = () => caches.match(request, { ignoreVary: true });
  if (SHELL.hashed) return (await kept()) ?? fetch(request);
  return fetch(request).catch(async () => (await kept()) ?? Response.error());
}

// A page that is there goes to the message itself, with what is being written; else a new one opens.
async function open(url) {
  const path = new URL(url, self.location).pathname;
  const pages = await self.clients.matchAll({ type: "window" });
  const page = pages.find((one) => new URL(one.url).pathname === path) ?? pages[0];
  if (!page) return self.clients.openWindow(url);
  page.postMessage({ open: url });
  return page.focus();
}
