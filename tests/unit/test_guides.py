"""The guides keep what they promise of their length, and each has its story and its picture."""

import pytest

from guides.checkout import GUIDES, guides
from guides.stories import STORIES


@pytest.mark.parametrize("name", guides())
def test_a_guide_is_short_and_shows_what_it_makes(name: str) -> None:
    guide = guides()[name]
    assert 0 < guide.lines("python") <= 30
    assert 0 < guide.lines("js") <= 15
    assert f"]({name}.png)" in guide.text
    assert (GUIDES / f"{name}.png").exists()


def test_each_guide_is_tried() -> None:
    assert set(STORIES) == set(guides())
