"""What sockets are welcomed with: any number of them by one query."""

from collections.abc import Collection
from typing import Final, NamedTuple

from realtime.contract import Numbered
from rooms.log import Page, read_all
from rooms.models import Room
from topics import wording

LATEST: Final = 50  # messages that a newcomer sees,
WELCOME_BYTES: Final = 32 * 1024  # as far as they fit
FARTHEST: Final = 1_000  # messages that somebody who returns may have missed without starting afresh


class Snapshot(NamedTuple):
    """What a socket is welcomed with: frames up to `position`, in a log whose last number is `seq`."""

    epoch: str
    seq: int
    recovered: bool
    frames: list[str]
    position: int


class Wish(NamedTuple):
    """To be told what was said in the room after that number of that epoch, or else the latest."""

    room: Room
    since: int | None = None
    epoch: str | None = None


def snapshot(room: Room, since: int | None = None, epoch: str | None = None) -> Snapshot:
    """What was missed since that number of that epoch; the latest where that cannot be told."""
    wish = Wish(room, since, epoch)
    return snapshots([wish])[wish]


def snapshots(wishes: Collection[Wish]) -> dict[Wish, Snapshot]:
    pages = {wish: page_for(wish) for wish in wishes}
    read = read_all(pages.values())
    return {wish: shown(wish, read[page]) for wish, page in pages.items()}


def page_for(wish: Wish) -> Page:
    room, since, _ = wish
    after = since if since is not None and can_resume(wish) else max(0, room.seq - LATEST)
    return Page(room.pk, after, min(LATEST, room.seq - after))


def can_resume(wish: Wish) -> bool:
    room, since, epoch = wish
    return since is not None and epoch == room.epoch and 0 <= room.seq - since <= FARTHEST


def shown(wish: Wish, page: list[Numbered]) -> Snapshot:
    room, since, _ = wish
    page = [event for event in page if event.seq <= room.seq]
    if since is not None and can_resume(wish):
        return resumed(room.epoch, room.seq, since, page)
    fit = wording.fitting([event.frame for event in reversed(page)], WELCOME_BYTES)[::-1]
    return Snapshot(room.epoch, room.seq, False, fit, room.seq)


def resumed(epoch: str, seq: int, since: int, missed: list[Numbered]) -> Snapshot:
    """For one who has everything up to `since`, of whose missed messages these are the first: as many as fit."""
    page = missed[:LATEST]
    fit = wording.fitting([event.frame for event in page], WELCOME_BYTES)
    last = page[len(fit) - 1].seq if fit else since
    return Snapshot(epoch, seq, True, fit, seq if len(fit) == len(page) < LATEST else last)
