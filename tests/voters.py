"""Members of the ledger who speak topics.v1: one socket, a topic of the foreign app, and another one beside it."""

import json

from websockets.asyncio.client import ClientConnection

from apps.polls.topics import OPTIONS
from client import Frame, dial
from ledger import Member

BESIDE = "cursors/beside"  # joined on the same socket, so that each frame says which topic it is of


class Voter(Member):
    """`room` is the topic's name, such as votes/open-lunch."""

    async def _dial(self) -> ClientConnection:
        protocol = "topics.v1.batch" if self.batch else "topics.v1"
        connection = await dial(self.base + "/ws/", subprotocols=[protocol], headers=self.cookies, seconds=5)
        position = {"since": self.last, "epoch": self.epoch} if self.arrived else {}
        for join in ({"topic": BESIDE}, {"topic": self.room, **position}):
            await connection.send(json.dumps({"type": "join", **join}))
        return connection

    def _words(self, id: str, body: str) -> Frame:
        return {"type": "send", "topic": self.room, "id": id, "data": {"option": OPTIONS[int(id, 16) % 2]}}

    def _read_as(self, frame: Frame) -> Frame:
        if frame.get("topic") != self.room:
            return {"type": f"not ours: {frame['type']}"}
        self.epoch = frame.get("epoch") or self.epoch
        match frame["type"]:
            case "joined":
                return {
                    **frame,
                    "type": "welcome",
                    "messages": [{**event, "type": "message"} for event in frame["events"]],
                }
            case "event":
                return {**frame, "type": "message"}
        return frame
