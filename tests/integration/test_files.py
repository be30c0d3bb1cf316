"""Alice sends a file in pieces, by pages of gunicorn and of both WebSocket servers, which share one storage."""

import asyncio
import base64
import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from client import enter, new_room
from servers.stack import Stack
from visitor import Page, Visitor, room_page

PIECE = 98_304
CONTENT = bytes(range(256)) * 1_000


class Sender:
    """Somebody's browser that sends pieces, to whichever process."""

    def __init__(self, stack: Stack, room: str) -> None:
        self.visitor = Visitor(stack.base_url)
        self.path = f"{room_page(room)}files/"
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.visitor.get(room_page(room)).text)
        assert token
        self.token = token[1]

    def ask(self, method: str, path: str, body: bytes | None = None, base: str = "", **headers: str) -> Page:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        base = base or self.visitor.base
        more = {"X-CSRFToken": self.token, "Tus-Resumable": "1.0.0", "Origin": base}
        request = urllib.request.Request(base + path, body, named | more | self.visitor.cookies, method=method)
        try:
            answer: Any = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Page(answer.status, answer.headers, answer.read())

    def begins(self, length: int) -> str:
        named = f"filename {base64.b64encode(b'../tea.bin').decode()}"
        begun = self.ask("POST", self.path, b"", Upload_Length=str(length), Upload_Metadata=named)
        assert begun.status == 201, begun.text
        return f"{self.path}{json.loads(begun.text)['id']}/"

    def adds(self, path: str, offset: int, piece: bytes, base: str = "") -> Page:
        return self.ask(
            "PATCH", path, piece, base, Upload_Offset=str(offset), Content_Type="application/offset+octet-stream"
        )


def kept(stack: Stack) -> list[str]:
    folder = Path(stack.env["STORAGE_URL"].removeprefix("file://"))
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


async def test_a_file_comes_by_several_processes_is_read_by_those_of_the_room_and_goes_with_its_message(
    stack: Stack,
) -> None:
    room, before = new_room(), kept(stack)
    alice = await asyncio.to_thread(Sender, stack, room)
    bases = ["", *(process.url for process in stack.ws)]

    def send() -> str:
        path = alice.begins(len(CONTENT))
        for number, offset in enumerate(range(0, len(CONTENT), PIECE)):
            there = alice.ask("HEAD", path, base=bases[number - 1])
            assert there.headers["Upload-Offset"] == str(offset), "whichever is asked"
            added = alice.adds(path, offset, CONTENT[offset : offset + PIECE], bases[number])
            assert added.status == 200, added.text
        wrong = alice.adds(path, 0, b"again")
        assert wrong.status == 200, "whole is whole"
        return path

    path = await asyncio.to_thread(send)
    id = path.split("/")[-2]
    socket = await enter(stack.ws_url, room, headers=alice.visitor.cookies)
    async with socket, await enter(stack.ws[-1].ws_url, room) as bob:
        assert (await asyncio.to_thread(Visitor(stack.base_url).get, path)).body == CONTENT
        await socket.send({"type": "message", "id": "mine", "body": "tea", "files": [id]})
        told = await bob.hears("tea")
        assert told["files"] == [
            {"id": id, "name": "tea.bin", "type": "application/octet-stream", "size": len(CONTENT)}
        ]
        await bob.send({"type": "message", "id": "his", "body": "mine now", "files": [id]})
        await bob.error("bad_frame")
        given = await asyncio.to_thread(Visitor(stack.ws[0].url).get, path)
        assert given.body == CONTENT
        assert given.headers["X-Content-Type-Options"] == "nosniff"
        assert given.headers["Content-Disposition"].startswith("attachment")
        elsewhere = path.replace(room, new_room())
        assert (await asyncio.to_thread(Visitor(stack.base_url).get, elsewhere)).status == 404
        await socket.send({"type": "retract", "seq": told["seq"]})
        await bob.until(lambda frame: frame.get("retracted"), "the removal")
        assert (await asyncio.to_thread(Visitor(stack.base_url).get, path)).status == 404
        for _ in range(300):
            if kept(stack) == before:
                break
            await asyncio.sleep(0.1)
        assert kept(stack) == before


async def test_pieces_that_are_no_pieces_are_refused(stack: Stack) -> None:
    alice = await asyncio.to_thread(Sender, stack, new_room())

    def send() -> None:
        path = alice.begins(10)
        for base in ("", stack.ws[0].url):
            assert alice.adds(path, 3, b"345", base).status == 409
            assert alice.adds(path, 0, b"0123456789a", base).status == 409
            assert alice.ask("PATCH", path, b"x", base, Content_Type="text/plain", Upload_Offset="0").status == 400
            assert alice.adds(path, 0, bytes(200_000), base).status == 413
        bob = Visitor(stack.base_url)
        bob.get("/")
        assert bob.post_raw(alice.path, b"", Upload_Length="5").status == 403, "no page of this site has sent that"

    await asyncio.to_thread(send)
