"""What somebody who joins a topic is told first."""

from typing import Final

from realtime.hub import Hub
from topics.delivery import frames
from topics.delivery.live import PREFIX
from topics.delivery.resume import Snapshot

MEMBERS: Final = 100  # in `joined`; the rest is a number


def joined(hub: Hub, topic: str, snapshot: Snapshot) -> str:
    """To be called once the hub knows the newcomer, who is among the members."""
    members, member_count = hub.presence.members(PREFIX + topic, MEMBERS, frames.people)
    return frames.joined(
        topic,
        epoch=snapshot.epoch,
        seq=snapshot.seq,
        recovered=snapshot.recovered,
        events=snapshot.frames,
        members=members,
        member_count=member_count,
        unread=snapshot.unread,
    )
