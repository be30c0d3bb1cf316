"""Members of the ledger who speak topics.v1, by the client that everybody has: a topic of the foreign app, and another
one beside it on the same socket."""

import asyncio
from typing import Any

from apps.polls.topics import OPTIONS
from client import new_id
from contract import Checked
from ledger import PATIENCE, SILENCE, Member, cookies_of
from topics.client import ClientError, Event, Reset, connect

BESIDE = "cursors/beside"
LONGEST_PAUSE = 0.5  # seconds, so that faults are long and waiting for the next dial is not


class Voter(Member):
    """`room` is the topic's name, such as votes/open-lunch."""

    async def say(self, body: str) -> int:
        """Vote; the client says it as often as it takes."""
        id = new_id()
        self.said.add(id)
        async with asyncio.timeout(PATIENCE):
            ack = await self._votes.send({"option": OPTIONS[int(id, 16) % 2]}, id=id)
        assert ack.seq is not None
        self.acked[id] = ack.seq
        return ack.seq

    async def _live(self) -> None:
        headers = await asyncio.to_thread(cookies_of, self.base)
        options: dict[str, Any] = {} if self.batch else {"subprotocols": ["topics.v1"]}
        try:
            async with connect(
                self.base,
                headers=headers,
                silence=SILENCE,
                longest_pause=LONGEST_PAUSE,
                on_state=self._count,
                create_connection=Checked,
                **options,
            ) as socket:
                await socket.join(BESIDE)
                self._votes = await socket.join(self.room)
                self.arrived = True
                self._news.set()
                async for news in self._votes.everything():
                    if isinstance(news, Event):
                        self._read({"seq": news.seq, "id": news.id})
                    elif isinstance(news, Reset):
                        self.wrong.append(f"no resume from {self.last}: {news}")
        except ClientError as error:
            self.wrong.append(f"{error.code}: {error}")

    def _count(self, state: str) -> None:
        self.dials += state == "online"
