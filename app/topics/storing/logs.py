"""Which log a name has: made by its first event, remembered by its key and epoch."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import transaction
from django.utils.crypto import salted_hmac

from topics.errors import Refused
from topics.models import Entry, Filled, Growing, Installation, Log, Read, Words
from topics.people import Person
from topics.storing import shares

if TYPE_CHECKING:
    from topics.topic import Topic

MOST_KNOWN: Final = 10_000  # names whose logs' keys are remembered


class Known(NamedTuple):
    key: int
    epoch: str


class Wanted(NamedTuple):
    """A topic that is to have a log, `person` who appends first, and `maker` whose share of new topics it is from."""

    topic: "Topic"
    person: Person | None
    maker: Person | None = None


_known: dict[str, Known] = {}


def key_of(topic: "Topic", person: Person | None, maker: Person | None = None) -> int:
    """The key of the topic's log, which is made where there is none. Raises what the topic's `begin` raises.

    `maker`: whose share of new topics it is taken from. None for what a program makes.
    """
    if key := known(topic.name):
        return key
    made = make_all([Wanted(topic, person, maker)])[topic.name]
    if isinstance(made, Refused):
        raise made
    return made.key


def known(name: str) -> int | None:
    """The key of the name's log. None where nothing has been appended yet."""
    found = current(name)
    return found.key if found else None


def remembered(name: str) -> Known | None:
    """The name's log, where this process knows one."""
    return _known.get(name)


def current(name: str) -> Known | None:
    """The name's log, as it is remembered or else by now. None where nothing has been appended yet."""
    if found := _known.get(name):
        return found
    log = look(name)
    return Known(log.pk, log.epoch) if log else None


def look(name: str) -> Log | None:
    """The log as it is by now. What was remembered is corrected."""
    log = Log.objects.filter(name=name).first()
    if log is None:
        forget(name)
    else:
        _remember_on_commit(log)
    return log


def look_all(names: Iterable[str]) -> set[str]:
    """Those of which there is a log by now, which are remembered."""
    found = list(Log.objects.filter(name__in=list(names)))
    for log in found:
        _remember_on_commit(log)
    return {log.name for log in found}


def epoch_of(name: str) -> str:
    """The epoch of a log that is known here, without asking the database; else the empty text."""
    found = _known.get(name)
    return found.epoch if found else ""


def epoch_to_be(name: str, lineage: str) -> str:
    """The epoch that a log gets when it is made: whoever follows the topic before can be told it."""
    return salted_hmac(f"topics.epoch.{lineage}", name, algorithm="sha256").hexdigest()[:16]


def forget(name: str) -> None:
    """The log is gone: it was deleted, or the transaction that had made it was rolled back."""
    _known.pop(name, None)


def forget_all() -> None:
    _known.clear()


def remember(log: Log) -> Known:
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    found = _known[log.name] = Known(log.pk, log.epoch)
    return found


def make_all(wanted: "Sequence[Wanted]") -> dict[str, Known | Refused]:
    """The logs of these topics, which are made where there are none; or why one was refused.

    In one transaction, since a burst of new topics would pay for one each, and in the order of their names, so that
    two processes do not wait for each other.
    """
    outcomes: dict[str, Known | Refused] = {}
    with transaction.atomic():
        new, lineage, counted = [], Installation.here().lineage, shares.Counted()
        for one in sorted(wanted, key=lambda one: one.topic.name):
            name = one.topic.name
            try:
                with transaction.atomic():
                    one.topic.begin(one.person)
                    whose = counted.taken(one.maker, one.topic.new_per_hour)
            except Refused as refused:
                outcomes[name] = refused
            else:
                new.append(Log(name=name, epoch=epoch_to_be(name, lineage), **whose))
        Log.objects.bulk_create(new, ignore_conflicts=True)
        made = list(Log.objects.filter(name__in=[log.name for log in new]))
    for log in made:
        outcomes[log.name] = Known(log.pk, log.epoch)
        _remember_on_commit(log)
    return outcomes


def _remember_on_commit(log: Log) -> None:
    """Where this very transaction has made it, a rollback takes it away, and its key may become another's."""
    transaction.on_commit(lambda: remember(log))


# --- The end of a log ----------------------------------------------------------------------------------


def delete(name: str) -> None:
    """Removes the log with its events. One that is made later has another epoch."""
    with transaction.atomic():
        if log := _held(name):
            log.delete()
    forget(name)


def move(name: str, to: str) -> bool:
    """Gives the log another name. False: there is a log of that name.

    It gets another key, too, so that whoever has remembered the old one does not append under the old name.
    """
    with transaction.atomic():
        log = _held(name)
        if Log.objects.filter(name=to).exists():
            return False
        if log is not None:
            moved = Log.objects.create(
                name=to,
                epoch=log.epoch,
                seq=log.seq,
                pruned=log.pruned,
                created_at=log.created_at,
                maker=log.maker,
                made_from=log.made_from,
            )
            for model in (Filled, Words, Entry, Growing, Read):  # first whoever fills words is waited for
                model.objects.filter(log=log).update(log=moved)
            log.delete()
    forget(name)
    return True


def _held(name: str) -> Log | None:
    """No event can be appended meanwhile."""
    return Log.objects.select_for_update().filter(name=name).first()
