"""rooms.v1, as its document has it."""

from typing import Final, get_args

from rooms import frames, shapes
from topics.documents import Protocol

ROOMS_V1: Final = Protocol(
    name=frames.PROTOCOL,
    address="/ws/room/{room_name}/",
    description=(
        "One socket is one person in one room. Offer the subprotocol `rooms.v1`, `rooms.v1.batch`, or none, which means"
        " the first. To come back, give the last `seq` and its `epoch`: what was missed comes first."
    ),
    parameters={
        "room_name": "1 to 64 letters or digits of any script with their marks, `_` or `-`, in Unicode's form NFC."
    },
    query={
        "since": {"type": "integer", "minimum": 0, "description": "The last number that the client has."},
        "epoch": {"type": "string", "description": "Of which log it is. Either alone counts as absent."},
    },
    client_frames=get_args(frames.ClientFrame),
    server_frames=shapes.SERVER_FRAMES,
)
