"""Durable, numbered, resumable topics for any Django app. The names listed here are public, all others internal.

`from topics import Refused, Topic` in an app's own topics.py; see docs/topics.md.
"""

from topics.errors import BadData, Busy, Conflict, NoSuchTopic, Refused
from topics.topic import Topic

__all__ = ["BadData", "Busy", "Conflict", "NoSuchTopic", "Refused", "Topic"]
