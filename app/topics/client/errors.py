"""What goes wrong, as exceptions: `code` is for programs, `detail` for people."""


class ClientError(Exception):
    """`retry_after` is in seconds, where waiting helps; else None."""

    def __init__(self, code: str, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.retry_after = code, detail, retry_after


class Refused(ClientError):
    """The server does not do what it was asked. The codes are those of `error` in docs/protocol-topics.md.

    A topic that one has been put out of ends with the code `forbidden`.
    """


class Unreachable(ClientError):
    """The first dial has not led to a server of topics. Later ones are repeated until one does."""


class Closed(ClientError):
    """The socket has ended for good: the server said so (`login_required`, `forbidden`, …), or it was left (`left`)."""
