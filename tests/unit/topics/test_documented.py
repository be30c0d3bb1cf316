"""docs/topics.md has every public name."""

import re
from pathlib import Path

import topics
from topics import Topic

TEXT = (Path(__file__).parents[3] / "docs" / "topics.md").read_text()


def test_the_page_names_all_that_is_public() -> None:
    public = {*topics.__all__, *topics.MODULES}
    assert {name for name in public if not is_told(name)} == set()


def test_the_page_names_all_that_a_topic_has() -> None:
    own = {name for name in vars(Topic) if not name.startswith("_")} - {"parsed_route"}
    twins = {name for name in own if name.startswith("a") and name[1:] in own}
    assert {name for name in own - twins if not is_told(name)} == set()


def is_told(name: str) -> bool:
    """As code, and not as a word that happens to be the same."""
    return re.search(rf"`[^`\n]*\b{name}\b", TEXT) is not None
