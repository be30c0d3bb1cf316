"""What can be wrong with what somebody asks of a topic. Each sentence may be shown to whoever asked."""


class Refused(Exception):
    """Raised by a topic's `received` (and by nothing of ours): the sender reads the sentence, nothing is stored."""


class BadData(ValueError):
    """What was to be stored is no JSON, or not of a kind that every client can be sent."""


class Conflict(Exception):
    """The same author has used this id before, for other data."""


class Busy(Exception):
    """Another transaction holds the topic for longer than an append waits. Nothing was stored: try again."""


class NoSuchTopic(LookupError):
    """No topic's route leads to this name."""


class NoSuchEvent(LookupError):
    """The topic has no event of this number that could be changed."""
