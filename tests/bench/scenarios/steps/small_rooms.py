"""Five hundred rooms of four: each with one message in flight, and then a lone message in a quiet room."""

from bench.load.driver import Failed
from bench.scenarios.steps.visitor import Visitor

ROOMS, MEMBERS = 500, 4
LONE_MESSAGES = 100
MAKING_SECONDS = 4  # a room's first message makes its log, which is done once and not what is asked here
PAUSE_SECONDS = 0.02


async def small_rooms(visitor: Visitor) -> None:
    await visitor.meet([f"small{number}" for number in range(ROOMS)])
    await visitor.resize(ROOMS * MEMBERS)
    if visitor.bench.asks("small-rooms"):
        values = await visitor.flood(warm_seconds=MAKING_SECONDS, in_flight=ROOMS, senders=ROOMS)
        visitor.note("small-rooms", {"rooms": ROOMS, "members": MEMBERS, "in_flight": ROOMS}, values)
    if visitor.bench.asks("lone"):
        await lone(visitor)


async def lone(visitor: Visitor) -> None:
    try:
        values = await visitor.load.lone(messages=LONE_MESSAGES, pause_seconds=PAUSE_SECONDS)
    except Failed as failed:
        values = str(failed)
    visitor.note("lone", {"members": MEMBERS}, values)
