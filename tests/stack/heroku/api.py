"""As much of Heroku's Platform API as the CLI asks for."""

import asyncio
import json
import re
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from stack.heroku import described
from stack.heroku.app import METADATA, App, Release
from stack.heroku.requests import Head, answer, read_body, streamed


class RefusalError(Exception):
    """An answer in Heroku's form, other than 200."""

    def __init__(self, status: int, id: str, sentence: str) -> None:
        self.status, self.body = status, {"id": id, "message": sentence}


class Api:
    """`apps` is everything there is; `create(name, stack)` makes one, `add(app, plan)` its add-ons."""

    def __init__(self, key: str, host: str, create: Callable[[str, str], App], add: Callable[[App, str], None]) -> None:
        self.key, self.host, self._create, self._add = key, host, create, add
        self.apps: dict[str, App] = {}
        self._listening: set[asyncio.StreamWriter] = set()
        self.unknown: list[str] = []

    async def serve(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = json.loads(await read_body(head, reader) or b"{}")
        path = urlsplit(head.path).path
        try:
            if head.get("authorization") != f"Bearer {self.key}":
                raise RefusalError(401, "unauthorized", "Invalid credentials provided.")
            writer.write(answer(200, await asyncio.to_thread(self._answer, head.method, path, body)))
        except RefusalError as refusal:
            writer.write(answer(refusal.status, refusal.body))

    async def bills(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Nothing is unpaid."""
        writer.write(answer(200, {}))

    async def output(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What a release phase says, while it says it."""
        release = next(each for app in self.apps.values() for each in app.releases if each.id == head.path[1:])
        pieces = iter(release.output)
        writer.write(streamed("text/plain"))
        self._listening.add(writer)
        while piece := await asyncio.to_thread(next, pieces, ""):
            writer.write(piece.encode())
            await writer.drain()
        self._listening.discard(writer)

    def cut_outputs(self) -> None:
        """Whoever listens to a release phase hears no more of it, as when it is silent for too long."""
        for writer in self._listening:
            writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._listening.clear()

    def _answer(self, method: str, path: str, body: Any) -> Any:
        if path == "/apps" and method == "POST":
            return described.app(self._made(body), self.host)
        if path == "/account":
            return {"id": "alice", "email": described.EMAIL}
        if path == "/account/features" or path.startswith("/users/"):
            return []
        if found := re.fullmatch(r"/apps/([^/]+)(?:/(.*))?", path):
            return self._answer_of_app(self._app(found[1]), method, found[2] or "", body)
        raise self._missing(f"{method} {path}")

    def _answer_of_app(self, app: App, method: str, path: str, body: Any) -> Any:
        match method, path.split("/"):
            case "GET", [""]:
                return described.app(app, self.host)
            case "PATCH", [""]:
                app.stack = body["build_stack"]
                return described.app(app, self.host)
            case "GET", ["addons"]:
                return [described.addon(app, plan) for plan in app.addons]
            case "POST", ["addons"]:
                plan = body["plan"]["name"] if isinstance(body["plan"], dict) else body["plan"]
                self._add(app, plan)
                return described.addon(app, plan)
            case "GET", ["config-vars"]:
                return app.config
            case "PATCH", ["config-vars"]:
                app.set_config(body)
                return app.config
            case "GET", ["dynos"]:
                return [dyno.described(app.name) for dyno in app.dynos]
            case "GET", ["features"]:
                return [described.feature(app)]
            case (("GET" | "PATCH"), ["features", name]) if name == METADATA:
                app.features |= {METADATA} if body.get("enabled") else set()
                return described.feature(app)
            case "GET", ["formation"]:
                return described.formation(app)
            case "PATCH", ["formation"]:
                if images := {each["type"]: each["docker_image"] for each in body["updates"] if "docker_image" in each}:
                    app.release_images(images)
                for each in body["updates"]:
                    if "quantity" in each:
                        app.scale(each["type"], int(each["quantity"]))
                return described.formation(app)
            case "GET", ["releases"]:
                return [described.release(app, each, self.host) for each in reversed(app.releases)]
            case "GET", ["releases", id]:
                return described.release(app, self._one(app, id), self.host)
            case "POST", ["releases"]:
                old = self._one(app, body["release"])
                if not old.kept:
                    raise RefusalError(422, "invalid_params", "Cannot roll back to that release.")
                return described.release(app, app.release(f"Rollback to v{old.version}", old.processes), self.host)
            case "GET", ["collaborators"]:
                return [{"user": {"email": described.EMAIL}}]
        raise self._missing(f"{method} /apps/…/{path}")

    def _made(self, body: Any) -> App:
        app = self._create(body["name"], body.get("stack") or "heroku-24")
        self.apps[app.name] = app
        return app

    def _app(self, name: str) -> App:
        if name not in self.apps:
            raise RefusalError(404, "not_found", "Couldn't find that app.")
        return self.apps[name]

    def _missing(self, what: str) -> RefusalError:
        self.unknown.append(what)
        return RefusalError(404, "not_found", "Not found.")

    @staticmethod
    def _one(app: App, id: str) -> Release:
        return next(each for each in app.releases if id in (each.id, str(each.version)))
