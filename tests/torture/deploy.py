"""A deploy with a thousand people, in rooms and in topics: each process leaves in turn and comes back."""

import asyncio

from client import new_id, new_room
from crowd import RESTART, Patient, Redeploy, chat, enter, redeploy, settled
from ledger import Account
from regulars import OnSocket, OnStream
from servers.stack import Stack

PEOPLE, ROOMS, TOPICS = 1_000, 40, 10
TALKING = 50  # of them
AT_ONCE = 125  # in half a second; a process takes twice as many handshakes
SECONDS = 30  # until all are back


class PatientOnSocket(Patient, OnSocket):
    """In a topic."""


async def deploy(stack: Stack) -> tuple[list[Redeploy], Account]:
    over = asyncio.Event()
    rooms, topics = [new_room("crowd") for _ in range(ROOMS)], [f"votes/open-{new_id()}" for _ in range(TOPICS)]
    voters = await enter([stack.ws_url], topics, PEOPLE // 10, PatientOnSocket)
    crowd = [*voters, *await enter([stack.ws_url], topics, PEOPLE // 20, OnStream)]
    crowd += await enter([stack.ws_url], rooms, PEOPLE - len(crowd), Patient)
    chatting = asyncio.create_task(chat(over, [*voters[:TOPICS], *crowd[TOPICS - TALKING :]], per_second=1))
    try:
        deploys = []
        for process in stack.ws:
            deploys.append(await redeploy(crowd, process))
            print(deploys[-1], flush=True)
        over.set()
        await chatting
        account = await settled(stack, crowd)
    finally:
        chatting.cancel()
        await asyncio.gather(*(one.leave() for one in crowd))
    return deploys, account


def in_order(deploy: Redeploy) -> bool:
    """Everybody was told, asked to come back evenly, and did."""
    everybody = len(deploy.told) == len(deploy.back) == deploy.sockets and deploy.codes == {RESTART}
    return everybody and deploy.exit_code == 0 and deploy.busiest(deploy.due) <= AT_ONCE and max(deploy.back) < SECONDS
