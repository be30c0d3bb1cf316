"""Sends what anybody says to everybody, one frame a message, framed once, all that has come since in one write."""

import asyncio
import os
import struct

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

TEXT = 0x81


class Everybody:
    def __init__(self) -> None:
        self.transports: list[asyncio.Transport] = []
        self.waiting: list[bytes] = []

    def say(self, payload: bytes) -> None:
        if not self.waiting:
            asyncio.get_running_loop().call_soon(self._write)
        self.waiting.append(framed(payload))

    def _write(self) -> None:
        written, self.waiting = b"".join(self.waiting), []
        for transport in self.transports:
            transport.write(written)


class Member(WSListener):  # type: ignore[misc]
    def __init__(self, everybody: Everybody) -> None:
        self.everybody = everybody

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.everybody.transports.append(transport.underlying_transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            self.everybody.say(frame.get_payload_as_bytes())
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.everybody.transports.remove(transport.underlying_transport)


def framed(payload: bytes) -> bytes:
    """A frame of at most 125 bytes, as servers send them."""
    return struct.pack("!BB", TEXT, len(payload)) + payload


async def main() -> None:
    everybody = Everybody()

    def listener(request: WSUpgradeRequest) -> WSListener:
        return Member(everybody)

    server = await ws_create_server(listener, "127.0.0.1", int(os.environ["PORT"]))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
