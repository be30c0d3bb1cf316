"""What a token narrows its owner to: some topics, and reading or writing them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """`topics` are patterns of names, in which `*` stands for any part, slashes included. `acts`: "read", "write"."""

    topics: tuple[str, ...]
    acts: tuple[str, ...]

    def allows(self, topic: str, act: str) -> bool:
        return act in self.acts and any(matches(pattern, topic) for pattern in self.topics)


def matches(pattern: str, name: str) -> bool:
    """In time proportional to both, whatever the pattern is: a regular expression could take for ever."""
    first, *others = pattern.split("*")
    if not others:
        return name == pattern
    *middle, last = others
    at = len(first)
    for part in middle if name.startswith(first) else ():
        found = name.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return name.startswith(first) and len(name) - len(last) >= at and name.endswith(last)
