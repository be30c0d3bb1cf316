"""A topic with bugs: one where it takes what is sent, and one where it begins."""

from typing import Any

from topics import Refused, Topic


class Ledger(Topic):
    route = "ledger/<slug:owner>"

    async def may(self, person: Any, act: str) -> bool:
        """Everybody."""
        return True

    def received(self, person: Any, data: Any) -> Any:
        if data == "refuse":
            raise Refused("Not this.")
        if data != "begin":
            raise ValueError("the sum is wrong")
        return {}

    def begin(self, person: Any) -> None:
        raise LookupError("there is no ledger")
