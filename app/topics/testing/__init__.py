"""Visits to topics in a project's own tests: no server, no Redis, and inside the test's own transaction.

    from topics.testing import visit

    with visit(user=alice) as tab:
        votes = tab.join("votes/lunch")
        votes.send({"option": "pizza"})
        assert votes.next("event")["data"] == {"option": "pizza"}

The names listed here are public; see docs/topics.md.
"""

from topics.client import Refused
from topics.testing.visits import AsyncTab, Tab, Topic, avisit, visit

__all__ = ["AsyncTab", "Refused", "Tab", "Topic", "avisit", "visit"]
