"""One WebSocket connection under uvicorn, with the limits of the one under Daphne. uvicorn_handshake opens it.

A client that breaks a limit reads why before the connection ends, one that takes nothing is dropped, and
neither pings nor tiny frames add up in memory.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from realtime.failures import contained, report
from realtime.inbox import Inbox
from realtime.limits import CLOSE_SECONDS, MAX_FRAGMENTS
from realtime.servers.incoming import Incoming
from realtime.servers.uvicorn_handshake import Handshake
from realtime.waiting import held

Message = dict[str, Any]
QUIET_SECONDS = 0.5


class Conversation(ServerProtocol):
    """The library's, which takes a close between the fragments of a message for an error. The RFC does not."""

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        super().recv_frame(frame)


class Socket(Handshake):
    """One WebSocket connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.inbox = self.queue = Inbox(self.read_on)  # type: ignore[assignment]
        self.incoming = Incoming()
        self.conn.__class__ = Conversation  # no state of its own: the library's class cannot be chosen
        self.failed = False  # by the client's fault
        self.held = 0  # bytes that were in the transport's buffer when it became full
        self.quiet_timer: asyncio.TimerHandle | None = None

    # --- From the client ---------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """What comes behind the request waits until the application has answered, most of it in the client."""
        if self.failed:
            self._end_when_quiet()
        elif self.handshake_complete:
            self.take_in(data)
        else:
            self.incoming.add(data)
            self.pause_reading()

    def has_room(self) -> bool:
        return not self.failed and (self.close_sent or not self.inbox.full)

    def parse(self, piece: bytes) -> None:
        super().data_received(piece)

    def pause_reading(self) -> None:
        if not (self.read_paused or self.failed or self.transport.is_closing()):
            self.read_paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if self.read_paused and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()

    def hear(self, content: Message, size: int) -> None:
        if not self.close_sent:
            self.inbox.put_nowait({"type": "websocket.receive", **content}, size)

    async def receive(self) -> Any:
        return await self.inbox.get()

    def handle_cont(self, event: Frame) -> None:
        if self.close_sent:
            return
        if len(self.frames) >= MAX_FRAGMENTS:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
            self.handle_parser_exception()
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Text that is no UTF-8 is the client's fault, and no error of ours to be logged."""
        data, self.frames = b"".join(self.frames), []
        try:
            content = {"text": data.decode()} if self.curr_msg_data_type == "text" else {"bytes": data}
        except UnicodeDecodeError:
            self.conn.fail(CloseCode.INVALID_DATA, "not UTF-8")
            self.handle_parser_exception()
            return
        self.hear(content, len(data))

    def handle_ping(self) -> None:
        """A client that does not read gets no pongs either: they would add up."""
        pongs = self.conn.data_to_send()
        if self.writable.is_set():
            self.transport.write(b"".join(pongs))

    def handle_parser_exception(self) -> None:
        """Closes, and reads on for a while: ending while data comes in would cost the client the reason."""
        if not self.failed and self.conn.close_sent:
            self.failed = True
            self.resume_reading()
            if not self.close_sent:
                self._closed(self.conn.close_sent.code, self.conn.close_sent.reason)
            self._end_when_quiet()
        elif not self.failed:
            self.transport.abort()

    def _end_when_quiet(self) -> None:
        """Ends the connection when nothing has come for QUIET_SECONDS: by then the client has read the close."""
        if self.quiet_timer:
            self.quiet_timer.cancel()
        self.quiet_timer = self.loop.call_later(QUIET_SECONDS, self.transport.close)

    def connection_lost(self, error: Exception | None) -> None:
        self.stop_reading()
        self.stop_answer_timer()
        if self.handshake_complete and not self.disconnected:  # the server's own word is 1005, as after an empty close
            self.queue.put_nowait({"type": "websocket.disconnect", "code": CloseCode.ABNORMAL_CLOSURE})
        super().connection_lost(error)
        self._let_go()
        if self.quiet_timer:
            self.quiet_timer.cancel()

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)
        self.close_sent = self.disconnected = True  # nothing may follow the answer
        self._drop_later()

    def send_keepalive_ping(self) -> None:
        try:
            super().send_keepalive_ping()
        except Exception as error:
            self.give_up(error)

    def keepalive_timeout(self) -> None:
        try:
            super().keepalive_timeout()
        except Exception as error:
            self.give_up(error)
        self._drop_later()

    # --- The transport's buffer --------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._let_go()
        self.held = self.transport.get_write_buffer_size()
        held.used += self.held

    def resume_writing(self) -> None:
        super().resume_writing()
        self._let_go()

    def _let_go(self) -> None:
        held.used -= self.held
        self.held = 0

    # --- From the application ----------------------------------------------------------------------

    def write(self, frames: bytes) -> bool:
        """Frames as they go over the wire, without waiting. False: not now or not any more, nothing was taken."""
        if self.disconnected or self.close_sent or not self.writable.is_set():
            return False
        try:
            self.transport.write(frames)
        except Exception as error:
            self.give_up(error)
            return False
        return True

    def give_up(self, error: Exception) -> None:
        """Ends this connection after an error of any kind, and nothing else."""
        report("a connection", error)
        with contained("a connection"):
            self.transport.abort()

    async def run_asgi(self) -> None:
        try:
            await self.app(self.scope, self.receive, self.send)
        except (ClientDisconnected, asyncio.CancelledError):
            self._application_ended(CloseCode.GOING_AWAY)
        except Exception as error:
            self.logger.exception("the application failed: %s", type(error).__name__)
            self._application_ended(CloseCode.INTERNAL_ERROR)
        else:
            self._application_ended(CloseCode.NORMAL_CLOSURE)

    def _application_ended(self, code: int) -> None:
        if self.handshake_complete:
            self._close(code)
        elif self.handshake_initiated and not self.transport.is_closing():
            self.initial_response = None
            self.send_500_response()
            self.transport.close()

    def send(self, message: Any) -> Coroutine[Any, Any, None]:
        """A close does not wait for the buffer to empty: a client that does not answer in time is dropped."""
        if message["type"] == "websocket.close" and (self.handshake_complete or self.disconnected):
            return self._close_by_application(message)
        if message["type"] == "websocket.accept":
            return self.accept(message)
        return super().send(message)

    async def _close_by_application(self, message: Message) -> None:
        self._close(message.get("code") or CloseCode.NORMAL_CLOSURE, message.get("reason") or "")

    def shutdown(self) -> None:
        if self.handshake_complete:
            self._close(CloseCode.SERVICE_RESTART)
        else:
            self.refuse()

    def _close(self, code: int, reason: str = "") -> None:
        if self.close_sent or self.disconnected or self.conn.state is not State.OPEN:
            return
        self.conn.send_close(code, reason)
        self._closed(code, reason)

    def close_unless_closing(self, code: int, reason: str) -> bool:
        was_open = not (self.close_sent or self.disconnected)
        self._close(code, reason)
        return was_open

    def _closed(self, code: int, reason: str) -> None:
        try:
            self.transport.write(b"".join(self.conn.data_to_send()))
        except Exception as error:
            self.give_up(error)
        self.close_sent = self.disconnected = True  # who sends from here on is told so
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.read_on()
        self.writable.set()  # wakes whoever waits to send
        self._drop_later()

    def _drop_later(self) -> None:
        """Closing alone would wait for ever for a client that does not take what is in the buffer."""
        if self.close_timer is None:
            self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)
