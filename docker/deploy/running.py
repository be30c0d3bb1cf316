"""Whether a released version works: its dynos are up, it is ready, and it answers a WebSocket. Asked by curl."""

from __future__ import annotations

import base64
import os

from deploy.heroku import Heroku, Unanswered
from deploy.programs import run, within

RUNNING_SECONDS = 120
ANSWER_SECONDS = 30
SWITCHED = b"HTTP/1.1 101 "
HANDSHAKE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
CLOSED = b"\x88\x02\x03\xe8"  # the server's close frame with 1000


def trouble(heroku: Heroku, version: int, web_url: str) -> str:
    """What is wrong, or nothing."""
    if not within(RUNNING_SECONDS, lambda: runs(heroku, version)):
        return f"v{version} does not run: `heroku ps --app {heroku.name}`"
    if not within(ANSWER_SECONDS, lambda: is_ready(f"{web_url}health/ready")):
        return f"{web_url}health/ready does not say that it is ready."
    if not within(ANSWER_SECONDS, lambda: answers_sockets(f"{web_url}ws/health/")):
        return f"{web_url}ws/health/ does not answer a WebSocket."
    return ""


def runs(heroku: Heroku, version: int) -> bool:
    try:
        return heroku.web_dynos() == {("up", version)}
    except Unanswered:
        return False


def is_ready(url: str) -> bool:
    words = ("curl", "-sS", "--max-time", "20", "-o", os.devnull, "-w", "%{http_code}", url)
    return run(*words, aloud=True).stdout == b"200"


def answers_sockets(url: str) -> bool:
    """A handshake, and the server's close through the open socket. curl waits for more, and is not answered."""
    headers = [f"{name}: {value}" for name, value in HANDSHAKE.items()]
    headers.append(f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}")
    words = ("curl", "-sS", "--http1.1", "--max-time", "5", "--include", url)
    said = run(*words, *(part for header in headers for part in ("-H", header))).stdout
    _, switched, rest = said.partition(SWITCHED)
    return bool(switched) and rest.partition(b"\r\n\r\n")[2] == CLOSED
