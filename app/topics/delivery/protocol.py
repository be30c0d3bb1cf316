"""topics.v1, as its document has it."""

from typing import Final, get_args

from topics import shapes
from topics.delivery import frames
from topics.documents import Protocol

TOPICS_V1: Final = Protocol(
    name=frames.PROTOCOL,
    address="/ws/",
    description=(
        "One socket follows any number of topics, up to the `limits` of its welcome. Offer the subprotocol `topics.v1`,"
        " or `topics.v1.batch`. Frames of a topic carry its name. The socket says `goodbye` before it is closed."
    ),
    client_frames=get_args(frames.ClientFrame),
    server_frames=shapes.SERVER_FRAMES,
)
