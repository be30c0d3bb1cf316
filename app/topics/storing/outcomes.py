"""What may become of something to be stored, beside being stored. Each may be raised, too."""


class Unavailable(Exception):
    """It could not be stored now. Whether it was is not known; sent again, it is the same."""


class TooMuch(Unavailable):
    """Who sends it has more waiting than there is room left for others. It is not stored."""


class Locked(Unavailable):
    """Another transaction holds the log."""


class Removed(Exception):
    """The log, or the author's account, is no longer there."""


class Unstorable(Exception):
    """The database will never take it as it is."""
