"""docs/realtime.md is true: its log works as it is printed there, and the contract is told whole."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from realtime import hub as hub_module
from realtime import registry
from realtime.contract import Follower, Product
from unit.realtime.asgi import Client
from unit.realtime.fakes import Layer, until

TEXT = (Path(__file__).parents[3] / "docs" / "realtime.md").read_text()


def table(of: str) -> set[str]:
    """The names in the first column of the table with this head."""
    rows = re.search(rf"^\| {of} \| \|\n\|---\|---\|\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    assert rows
    return {name for row in rows[1].splitlines() for name in re.findall(r"`(\w+)", row.split("|")[1])}


def names(protocol: type) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


def test_the_contract_is_told_whole() -> None:
    assert table("of a product") == names(Product)
    assert table("of a follower") == names(Follower) | {"product", "dialect"}  # which only some have


async def test_alice_and_bob_share_the_printed_log(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Layer()
    monkeypatch.setattr(hub_module, "get_channel_layer", lambda: layer)
    printed: dict[str, Any] = {}
    [program] = re.findall(r"```python\n(from realtime import hubs\n.*?)```", TEXT, re.DOTALL)
    exec(program, printed)
    application = printed["NotesSocket"].as_asgi()
    alice, bob = Client(), Client()
    serving = [alice.meets(application)]
    alice.says(text="milk")
    await until(lambda: "milk" in said(alice))
    serving.append(bob.meets(application))
    await until(lambda: "milk" in said(bob))
    bob.says(text="bread")
    await until(lambda: "bread" in said(alice) and "bread" in said(bob))
    assert [text for text in said(alice) if not text.startswith("{")] == ["milk", "bread"]
    for client in (alice, bob):
        client.leaves()
    await asyncio.wait(serving)
    await registry.here().close()


def said(client: Client) -> list[str]:
    return [message["text"] for message in client.heard if message["type"] == "websocket.send"]
