"""What can be wrong with what somebody asks of a topic. Each sentence may be shown to whoever asked."""


class Refused(Exception):
    """Raised by a topic's `received` or `begin`: the sender reads the sentence, nothing is stored. Where it is a lazy
    translation, she reads it in her language. Raised by `may`, it is a no with a reason, which whoever may not is told.

    `code` is for programs; what is refused has the code "refused" unless the topic gives another one. `retry_after`:
    in how many seconds the same may be taken.
    """

    def __init__(self, sentence: object = "", code: str = "refused", retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.code, self.retry_after = code, retry_after


class BadData(ValueError):
    """What was to be stored is no JSON, or not of a kind that every client can be sent."""


class Conflict(Exception):
    """The same author has used this id before, for other data."""


class Busy(Exception):
    """Another transaction holds the topic for longer than an append waits. Nothing was stored: try again."""


class Unreachable(Exception):
    """The channel layer does not answer, so the processes that serve sockets could not be asked."""

    def __init__(self) -> None:
        super().__init__("It cannot be told who is here: Redis does not answer.")


class NoSuchTopic(LookupError):
    """No topic's route leads to this name."""


class NoSuchEvent(LookupError):
    """The topic has no event of this number that could be changed."""
