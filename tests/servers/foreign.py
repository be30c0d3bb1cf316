"""Another site, whose pages follow topics of ours: its server keeps a token, and gets its pages a ticket by it."""

import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from servers.app import SOURCE

MODULE = SOURCE / "topics" / "static" / "topics"
PAGE = """<!doctype html><title>A page of another site</title><link rel="icon" href="data:,">
<p id="state"></p> <p id="you"></p> <button>pizza</button> <ul id="votes"></ul>
<script type="module">
import { connect } from "/client.js";
const [state, you, button, list] = document.querySelectorAll("#state, #you, button, #votes");
const votes = connect({
  url: "TARGET/ws/",
  secret: async () => (await fetch("/ticket", { method: "POST" })).text(),
  onState({ name, http, you: person }) {
    state.textContent = http ? `${name} by http` : name;
    if (person) you.textContent = person.name;
  },
}).join("votes/lunch", {
  onEvent({ by, data }) {
    list.append(Object.assign(document.createElement("li"), { textContent: `${by.name}: ${data.option}` }));
  },
});
button.addEventListener("click", () => votes.send({ option: "pizza" }));
</script>"""


class Foreign:
    """`site` is asked for tickets, at `target` its pages follow; `given` is what they were given."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.site = self.token = self.target = ""
        self.given: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> "Foreign":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def ticket(self) -> str:
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.site}/topics/ticket", b"", headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            self.given.append(json.load(answer)["ticket"])
        return self.given[-1]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        foreign = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/":
                    self._answer("text/html", PAGE.replace("TARGET", foreign.target))
                elif (module := MODULE / self.path[1:]).suffix == ".js" and module.is_file():
                    self._answer("text/javascript", module.read_text())
                else:
                    self.send_error(404)

            def do_POST(self) -> None:
                self._answer("text/plain", foreign.ticket())

            def _answer(self, kind: str, text: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None:
                """Silent."""

        return Handler
