"""The topics of a foreign app: votes, an inbox of one's own, and cursors that nobody stores."""

from typing import Any

from django.contrib.auth import get_user_model

from topics import Refused, Topic

OPTIONS = ("pizza", "pasta")


class Votes(Topic):
    route = "votes/<slug:poll>"
    rate = 1_000

    def may(self, person: Any, act: str) -> bool:
        """Everybody reads, members vote."""
        return act == "read" or not person.guest or self.poll.startswith("open")

    def received(self, person: Any, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("option") not in OPTIONS:
            raise Refused("unknown option")
        return {"option": data["option"]}


class Inbox(Topic):
    route = "inbox/<int:user>"

    async def may(self, person: Any, act: str) -> bool:
        """Its owner reads."""
        return act == "read" and person.user_id == self.user


class Secrets(Topic):
    route = "secrets/<int:user>"

    def may(self, person: Any, act: str) -> bool:
        """Its owner, who is not outside."""
        user = get_user_model().objects.get(pk=self.user)
        return person.user_id == self.user and user.last_name != "Outside"


class Cursors(Topic):
    route = "cursors/<slug:page>"

    async def may(self, person: Any, act: str) -> bool:
        """Everybody."""
        return True


class Answers(Topic):
    route = "answers/<slug:subject>"

    async def may(self, person: Any, act: str) -> bool:
        """Everybody reads, and stops."""
        return True
