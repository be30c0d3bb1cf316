"""Lists the project's topics: route, class, how many there are and how many events they have, who may."""

import inspect
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from topics import Topic, routes
from topics.errors import NoSuchTopic
from topics.models import Log


class Command(BaseCommand):
    help = "List the project's topics: route, class, how many topics and events there are, who may read and write."

    def handle(self, *args: Any, **options: Any) -> None:
        topics, events = self._counted()
        for topic in routes.classes:
            self.stdout.write(self.style.MIGRATE_HEADING(topic.route))
            self.stdout.write(f"  class   {topic.__module__}.{topic.__qualname__}")
            self.stdout.write(f"  holds   {topics[topic]} topics with {events[topic]} events, kept {kept(topic)}")
            self.stdout.write(f"  may     {who_may(topic)}")
        if not routes.classes:
            self.stdout.write("There is no topic: declare one in an app's topics.py, as docs/topics.md says.")
        if orphans := topics[None]:
            self.stdout.write(self.style.WARNING(f"{orphans} logs with {events[None]} events belong to no route."))

    def _counted(self) -> tuple[Counter[type[Topic] | None], Counter[type[Topic] | None]]:
        """How many topics and events there are, by class; None for logs that no route leads to."""
        topics: Counter[type[Topic] | None] = Counter()
        events: Counter[type[Topic] | None] = Counter()
        for name, seq, pruned in Log.objects.values_list("name", "seq", "pruned").iterator():
            topic = class_of(name)
            topics[topic] += 1
            events[topic] += seq - pruned
        return topics, events


def class_of(name: str) -> type[Topic] | None:
    try:
        return type(routes.find(name))
    except NoSuchTopic:
        return None


def kept(topic: type[Topic]) -> str:
    return "for ever" if topic.keep is None else f"for {topic.keep}"


def who_may(topic: type[Topic]) -> str:
    """The first line of what `may` says of itself, else where it stands."""
    if topic.may is Topic.may:
        return "nobody: it has no method may(self, person, act)"
    if topic.may.__doc__:
        return inspect.cleandoc(topic.may.__doc__).splitlines()[0]
    code = topic.may.__code__
    return f"as {code.co_filename}:{code.co_firstlineno} decides"
