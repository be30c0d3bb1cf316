"""What a topic's class says of people's names that stand in data."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from topics.people import Person


class Naming:
    """The rest of a topic is the subclass's."""

    def renamed(self, data: Any, person: "Person") -> Any:
        """What the data of an event become that the person has changed, once she has left the site and is called
        `person.name`: the same where her name is not in them. Sync.
        """
        return data
