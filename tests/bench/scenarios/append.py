"""From `append` in a view, in its transaction, to the sockets of another process that follow the topic."""

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

NAME: Final = "append"
SERVERS: Final = ("Daphne", "uvicorn")
PER_SECOND: Final = 200
FOLLOWERS: Final = 10
WARM_UP_SECONDS, SECONDS, QUICK_SECONDS = 1, 5, 2


class Event(msgspec.Struct):
    type: str
    data: Any = None


decode = msgspec.json.Decoder(Event).decode


class Follower(Member):
    """Notes how long each event took from the call that its data tell of."""

    def __init__(self, hall: str) -> None:
        super().__init__(hall)
        self.took: list[float] = []

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        now = time.perf_counter()
        super().on_ws_frame(transport, frame)
        if frame.msg_type == WSMsgType.TEXT and (event := decode(frame.get_payload_as_memoryview())).type == "event":
            self.took.append(now - event.data["called"])


async def run(bench: Bench) -> AsyncIterator[Result]:
    wanted = [server for server in SERVERS if bench.wants(f"topics, {server}")]
    if not wanted:
        return
    with House(bench) as house:
        web = house.started(house.web(**HALLS))
        servers = {server: house.started(house.halls(server)) for server in wanted}
        runs: dict[str, list[Values | str]] = {server: [] for server in wanted}
        for _ in range(bench.runs):
            for server, values in runs.items():
                bench.say(f"append: topics, {server}")
                await one_run(bench, web, servers[server], WARM_UP_SECONDS)
                values.append(await one_run(bench, web, servers[server], QUICK_SECONDS if bench.quick else SECONDS))
        parameters = {"appends_per_s": PER_SECOND, "sockets": FOLLOWERS}
        for server, values in runs.items():
            yield Result.of(NAME, f"topics, {server}", parameters, values)


async def one_run(bench: Bench, web: Server, server: Server, seconds: int) -> Values | str:
    hall = new_room("append")
    followers = [Follower(hall) for _ in range(FOLLOWERS)]
    gc.collect()
    async with AsyncExitStack() as stack:
        for follower in followers:
            await follower.enter(server.ws_url)
            stack.push_async_callback(follower.leave)
        before = [spent(one.pid) for one in (web, server)]
        posted = await posting(bench, f"{web.url}/append/{hall}", seconds)
        try:
            await until(lambda: all(follower.count >= posted for follower in followers))
        except TimeoutError:
            return f"{[follower.count for follower in followers]} of {posted} were heard"
        after = [spent(one.pid) for one in (web, server)]
    if wrong := [words for follower in followers for words in follower.wrong]:
        return f"{len(wrong)} complaints, such as {wrong[:3]}"
    if posted < PER_SECOND * seconds:
        return f"{posted} of {PER_SECOND * seconds} were stored"
    return values(followers, [now - then for now, then in zip(after, before, strict=True)], posted)


async def posting(bench: Bench, url: str, seconds: int) -> int:
    """How many appends the views have answered; the process beside the load's, on its core."""
    command = [sys.executable, "-m", "bench.people.posting", url, str(PER_SECOND), str(seconds)]
    with on_core(bench.load_core):
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, env=python_environment()
        )
    said, _ = await process.communicate()
    return int(said or 0)


def values(followers: Sequence[Follower], cpu: Sequence[float], posted: int) -> Values:
    took = sorted(seconds for follower in followers for seconds in follower.took)
    web, server = cpu
    return {
        "p50_ms": percentile(took, 50) * 1000,
        "p99_ms": percentile(took, 99) * 1000,
        "web_ms_per_append": web / posted * 1000,
        "server_us_per_append": server / posted * 1e6,
    }
