"""What a topic's handle does, for async code: the same names with Django's prefix `a`.

Each runs its sync twin in a thread, where Django's own async names do their work, too.
"""

from typing import TYPE_CHECKING, Any, Literal, overload

from asgiref.sync import sync_to_async

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from topics.events import Event, Position, Recent
    from topics.members import Members
    from topics.searching.finding import Found


class Twins:
    """The sync ones are the subclass's."""

    if TYPE_CHECKING:
        append: Any
        amend: Any
        retract: Any
        cancel: Any
        signal: Any
        recheck: Any
        delete: Any
        move: Any
        recent: Any
        events: Any
        numbered: Any
        event: Any
        search: Any
        search_all: Any
        position: Any
        unread: Any
        read_up_to: Any

    @overload
    async def aappend(
        self, data: Any, *, id: str | None = ..., by: Any = ..., on_commit: Literal[False] = ...
    ) -> "Event": ...
    @overload
    async def aappend(self, data: Any, *, id: str | None = ..., by: Any = ..., on_commit: Literal[True]) -> None: ...
    async def aappend(
        self, data: Any, *, id: str | None = None, by: Any = None, on_commit: bool = False
    ) -> "Event | None":
        return await sync_to_async(self.append)(data, id=id, by=by, on_commit=on_commit)  # type: ignore[no-any-return]

    async def aamend(self, seq: int, data: Any, *, by: Any = None) -> "Event":
        return await sync_to_async(self.amend)(seq, data, by=by)  # type: ignore[no-any-return]

    async def aretract(self, seq: int, *, by: Any = None) -> "Event":
        return await sync_to_async(self.retract)(seq, by=by)  # type: ignore[no-any-return]

    async def acancel(self, seq: int) -> bool:
        return await sync_to_async(self.cancel)(seq)  # type: ignore[no-any-return]

    async def asignal(self, data: Any, *, by: Any = None) -> None:
        await sync_to_async(self.signal)(data, by=by)

    async def arecheck(self) -> None:
        await sync_to_async(self.recheck)()

    async def adelete(self) -> None:
        await sync_to_async(self.delete)()

    async def amove(self, to: Any) -> None:
        await sync_to_async(self.move)(to)

    async def amembers(self, limit: int = 100) -> "Members":
        from topics import members  # which asks by the loop itself

        return await members.amembers(self, limit)  # type: ignore[arg-type]

    @classmethod
    async def arecent(cls, limit: int = 50, *, before: "tuple[Any, datetime] | None" = None) -> "list[Recent]":
        return await sync_to_async(cls.recent)(limit, before=before)  # type: ignore[no-any-return]

    async def aevents(self, *, after: int = 0, before: int | None = None, limit: int = 100) -> "list[Event]":
        return await sync_to_async(self.events)(after=after, before=before, limit=limit)  # type: ignore[no-any-return]

    async def anumbered(self, seqs: "Iterable[int]") -> "list[Event]":
        return await sync_to_async(self.numbered)(seqs)  # type: ignore[no-any-return]

    async def aevent(self, id: str) -> "Event | None":
        return await sync_to_async(self.event)(id)  # type: ignore[no-any-return]

    async def asearch(self, text: str, *, before: int | None = None, limit: int = 20) -> "Found":
        return await sync_to_async(self.search)(text, before=before, limit=limit)  # type: ignore[no-any-return]

    @classmethod
    async def asearch_all(cls, text: str, *, reader: Any, before: int | None = None, limit: int = 20) -> "Found":
        found = sync_to_async(cls.search_all)
        return await found(text, reader=reader, before=before, limit=limit)  # type: ignore[no-any-return]

    async def aposition(self) -> "Position":
        return await sync_to_async(self.position)()  # type: ignore[no-any-return]

    async def aunread(self, person: Any) -> int:
        return await sync_to_async(self.unread)(person)  # type: ignore[no-any-return]

    async def aread_up_to(self, person: Any, seq: int) -> None:
        await sync_to_async(self.read_up_to)(person, seq)
