"""The story, told by browsers."""

import pytest

from browser import Arrive
from story import converse

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_alice_and_bob_talk_and_carol_hears_nothing(site: str, arrive: Arrive) -> None:
    alice, bob, carol = [await arrive(site) for _ in range(3)]
    await converse(alice, bob, carol)
    for person in (alice, bob, carol):
        assert person.problems == [], "the content security policy and the scripts agree"
