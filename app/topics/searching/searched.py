"""What a topic's class says of searching, and the handle's part of it."""

from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from topics.searching.finding import Found
    from topics.topic import Topic


class Searched:
    """The rest of a topic is the subclass's."""

    searched: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not isinstance(cls.searched, tuple) or not all(isinstance(field, str) for field in cls.searched):
            raise ImproperlyConfigured(
                f'{cls.__name__}.searched has names of the data in a tuple, such as ("body",), not {cls.searched!r}.'
            )

    def search(self, text: str, *, before: int | None = None, limit: int = 20) -> "Found":
        """Events in which words begin so, the newest first: `.hits`, each with `.event`; `before` is a `.next`.

        Raises Refused with a sentence for whoever has typed the text, as `search_all` does.
        """
        from topics.searching import finding

        return finding.in_topic(cast("Topic", self), text, before, limit)

    @classmethod
    def search_all(cls, text: str, *, reader: Any, before: int | None = None, limit: int = 20) -> "Found":
        """The same in all topics of this class that the reader may read; each hit has its `.topic`, too."""
        from topics.searching import finding

        return finding.everywhere(cast("type[Topic]", cls), text, reader, before, limit)
