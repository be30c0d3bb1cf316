"""Topics of an app of the tests' own."""

from typing import Any, ClassVar

from topics import Refused, Topic
from topics.people import Person

OPTIONS = ("pizza", "pasta")


class Votes(Topic):
    route = "votes/<slug:poll>"

    def may(self, person: Person, act: str) -> bool:
        return act == "read" or not person.guest

    def received(self, person: Person, data: Any) -> Any:
        if data.get("option") not in OPTIONS:
            raise Refused("unknown option")
        return {"option": data["option"]}


class Orders(Topic):
    route = "orders/<int:number>/status"

    def may(self, person: Person, act: str) -> bool:
        return act == "read"


class Begun(Topic):
    """Makes something beside its first event, by members only, but by programs, too."""

    route = "begun/<slug:it>"
    begun: ClassVar[list[str]] = []
    it: str

    async def may(self, person: Person, act: str) -> bool:
        return True

    async def received(self, person: Person, data: Any) -> Any:
        return data

    def begin(self, person: Person | None) -> None:
        if person is not None and person.guest:
            raise Refused("Members begin.", code="members_only")
        self.begun.append(self.it)


class Chat(Topic):
    route = "chat/<slug:name_of_it>"
    rate = 1_000

    async def may(self, person: Person, act: str) -> bool:
        """carol may nothing, mallory reads only."""
        return person.name != "carol" and (act == "read" or person.name != "mallory")

    async def received(self, person: Person, data: Any) -> Any:
        return None if data == "nothing" else data


class Notes(Topic):
    route = "notes/<slug:subject>"
    count_unread = True

    async def may(self, person: Person, act: str) -> bool:
        return True

    async def received(self, person: Person, data: Any) -> Any:
        return data
