"""Why a file is not taken."""


class NotTaken(Exception):
    """The sentence is for who sends it; `status` for programs, which send the same again soon where it says so."""

    def __init__(self, sentence: object, status: int = 422, offset: int | None = None, *, again: bool = False) -> None:
        super().__init__(sentence)
        self.status, self.offset, self.again = status, offset, again
