"""Documents that cannot be wrong: AsyncAPI for sockets and OpenAPI for HTTP, made of the models that judge frames."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.module_loading import import_string
from pydantic import BaseModel

VERSION: Final = "1.0.0"  # of what is documented, not of the program


@dataclass(frozen=True)
class Protocol:
    """What is spoken on the sockets of one address. Text is Markdown.

    `name` is the subprotocol; `name`.batch has arrays of the server's frames. `parameters` are the address' own, with
    what each is; `query` has the JSON Schema of each field of the query.
    """

    name: str
    address: str
    description: str
    client_frames: Sequence[type[BaseModel]]
    server_frames: Sequence[type[BaseModel]]
    parameters: dict[str, str] = field(default_factory=dict)
    query: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """As the address is called inside of the document."""
        return self.name.partition(".")[0]


_registered: Final = ["topics.delivery.protocol.TOPICS_V1"]


def register(path: str) -> None:
    """To be called in an app's `ready` with where its Protocol is, such as "rooms.protocol.ROOMS_V1".

    It is imported when a document is made, and costs a server nothing.
    """
    if path not in _registered:
        _registered.append(path)


def protocols() -> list[Protocol]:
    return [import_string(path) for path in _registered]
