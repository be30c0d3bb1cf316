"""Events that grow, a thousand at once: how late their text is heard, and how soon a reader stops one."""

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

import msgspec
from picows import WSFrame, WSMsgType, WSTransport

from bench.contenders.contender import python_environment
from bench.contenders.ours import HALLS
from bench.frame import Bench
from bench.people.house import House
from bench.people.person import Member
from bench.people.spent import seconds as spent
from bench.people.talk import until
from bench.result import Result, Values
from bench.usage import on_core
from client import new_room
from servers.app import Server
from talkers import percentile

NAME: Final = "growing"
SERVERS: Final = ("Daphne", "uvicorn")
EVENTS, QUICK_EVENTS = 1_000, 200
TOKENS_PER_SECOND: Final = 30
SECONDS, QUICK_SECONDS = 10, 4
EVERY: Final = 10  # event that is stopped by its reader, one after the other over the whole time
LONGEST_SILENCE: Final = 60  # seconds, until a thousand are begun and after the last token


class Frame(msgspec.Struct):
    type: str
    seq: int = 0
    at: Any = None
    text: str = ""
    data: Any = None
    about: int = 0


decode = msgspec.json.Decoder(Frame).decode


class Reader(Member):
    """Puts the text together, and notes how late each token was heard and when the event ended, how."""

    def __init__(self, hall: str) -> None:
        super().__init__(hall)
        self.seq, self.text, self.status, self.whole = 0, "", "", ""
        self.late: list[float] = []
        self.ended_at = self.cancelled_at = 0.0

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        now = time.perf_counter()
        super().on_ws_frame(transport, frame)
        if frame.msg_type == WSMsgType.TEXT:
            self.read_on(decode(frame.get_payload_as_memoryview()), now)

    def read_on(self, frame: Frame, now: float) -> None:
        if frame.type == "event":
            self.seq = frame.seq
        elif frame.type == "more":
            if frame.at > len(self.text):
                self.wrong.append(f"a hole of {frame.at - len(self.text)} characters")
            fresh = frame.text[max(0, len(self.text) - frame.at) :]
            self.text += fresh
            self.late += [now - float(token) for token in fresh.split()]
        elif frame.type == "change":
            self.status, self.whole, self.ended_at = frame.data["status"], frame.data["text"], now

    def cancel(self) -> None:
        self.cancelled_at = time.perf_counter()
        self.send(f'{{"type":"cancel","topic":"hall/{self.room}","seq":{self.seq}}}')


async def run(bench: Bench) -> AsyncIterator[Result]:
    wanted = [server for server in SERVERS if bench.wants(f"topics, {server}")]
    if not wanted:
        return
    events, seconds = (QUICK_EVENTS, QUICK_SECONDS) if bench.quick else (EVENTS, SECONDS)
    with House(bench) as house:
        servers = {server: house.started(house.halls(server)) for server in wanted}
        runs: dict[str, list[Values | str]] = {server: [] for server in wanted}
        for _ in range(bench.runs):
            for server, values in runs.items():
                bench.say(f"growing: topics, {server}")
                values.append(await one_run(bench, house, servers[server], events, seconds))
        parameters = {"events": events, "tokens_per_s": TOKENS_PER_SECOND}
        for server, values in runs.items():
            yield Result.of(NAME, f"topics, {server}", parameters, values)


async def one_run(bench: Bench, house: House, server: Server, events: int, seconds: int) -> Values | str:
    readers = [Reader(new_room("grows")) for _ in range(events)]
    gc.collect()
    async with AsyncExitStack() as stack:
        for reader in readers:
            await reader.enter(server.ws_url)
            stack.push_async_callback(reader.leave)
        writer = await started(bench, house, [reader.room for reader in readers], seconds)
        try:
            await line(writer)
            before = [spent(one.pid) for one in (writer, server)]
            updates, began = updated(house), time.perf_counter()
            await stop_some(readers, seconds)
            written, late = (await line(writer)).split()
            passed, after = time.perf_counter() - began, [spent(one.pid) for one in (writer, server)]
            updates = updated(house) - updates
            await until(lambda: all(reader.status for reader in readers))
        except TimeoutError:
            return f"{sum(bool(reader.status) for reader in readers)} of {events} have ended"
        finally:
            if writer.returncode is None:
                writer.terminate()
            await writer.wait()
    if wrong := complaints(readers):
        return f"{len(wrong)} complaints, such as {wrong[:3]}"
    cpu = [(now - then) / passed for now, then in zip(after, before, strict=True)]
    return values(readers, int(written) / passed, float(late), updates / events / passed, cpu)


async def started(bench: Bench, house: House, halls: Sequence[str], seconds: int) -> asyncio.subprocess.Process:
    """The writer, on the server's core."""
    command = [sys.executable, "-m", "bench.people.writing", ",".join(halls), str(TOKENS_PER_SECOND), str(seconds)]
    env = python_environment(**house.env | {"DJANGO_SETTINGS_MODULE": HALLS["DJANGO_SETTINGS_MODULE"]})
    with on_core(bench.server_core):
        return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=env)


async def line(writer: asyncio.subprocess.Process) -> str:
    assert writer.stdout is not None
    async with asyncio.timeout(LONGEST_SILENCE):
        said = await writer.stdout.readline()
    if not said:
        raise TimeoutError
    return said.decode()


async def stop_some(readers: Sequence[Reader], seconds: int) -> None:
    """Each at its moment, in the middle of the time."""
    some = readers[::EVERY]
    for reader in some:
        await asyncio.sleep(seconds / 2 / len(some))
        reader.cancel()


def updated(house: House) -> int:
    """Rows of events that were written anew so far."""
    ((found,),) = house.database.rows("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'topics_entry'", [])
    return int(found)


def complaints(readers: Sequence[Reader]) -> list[str]:
    """What was heard is what was stored, and whoever was stopped was stopped."""
    wrong = [words for reader in readers for words in reader.wrong]
    ends = {("cancelled" if one.cancelled_at else "done", one.status) for one in readers}
    wrong += [f"{status} instead of {due}" for due, status in ends if status != due]
    return wrong + ["another text was stored" for reader in readers if not reader.whole.startswith(reader.text)]


def values(readers: Sequence[Reader], written: float, late: float, updates: float, cpu: Sequence[float]) -> Values:
    took = sorted(seconds for reader in readers for seconds in reader.late)
    stopped = sorted(one.ended_at - one.cancelled_at for one in readers if one.cancelled_at)
    writer, server = cpu
    return {
        "written_per_s": written,
        "writer_late_ms": late * 1000,
        "heard_p50_ms": percentile(took, 50) * 1000,
        "heard_p99_ms": percentile(took, 99) * 1000,
        "cancel_p50_ms": percentile(stopped, 50) * 1000,
        "cancel_p99_ms": percentile(stopped, 99) * 1000,
        "updates_per_event_s": updates,
        "writer_cores": writer,
        "server_cores": server,
    }
