"""What an installed site is made of, and what its worker keeps."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

STATIC = Path(__file__).parents[3] / "app" / "phone" / "static"


def test_the_manifest_names_icons_that_there_are_in_their_sizes() -> None:
    answer = Client().get("/manifest.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    told = answer.json()
    assert (told["start_url"], told["scope"], told["display"]) == ("/", "/", "standalone")
    assert {icon["purpose"] for icon in told["icons"]} == {"any", "maskable"}
    for icon in told["icons"]:
        header = (STATIC / icon["src"].removeprefix("/static/")).read_bytes()[:24]
        assert header.startswith(b"\x89PNG")
        assert "x".join(map(str, struct.unpack(">II", header[16:]))) == icon["sizes"]


def test_the_worker_is_for_the_whole_site_and_asked_for_anew() -> None:
    answer = Client().get("/worker.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert "no-cache" in answer["Cache-Control"]
    assert "'self'" in answer["Content-Security-Policy"]


def test_it_keeps_pages_of_nobody() -> None:
    [first, *_] = Client().get("/worker.js").content.decode().splitlines()
    kept = json.loads(first.removeprefix("const SHELL = ").removesuffix(";"))
    assert kept["offline"] == "/offline/"
    assert all(name.startswith("/static/") for name in kept["files"])


def test_the_page_without_a_network_is_the_same_for_everybody() -> None:
    carol = Client()
    carol.get("/")
    name = carol.get("/").context["person"].name
    page = carol.get("/offline/").content.decode()
    assert name not in page
    assert page == Client().get("/offline/").content.decode()


def test_a_new_release_is_another_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    from phone import shell

    before = shell.worker.__wrapped__("/offline/")
    written: Any = ("rooms/style.css", "rooms/icon.svg", "rooms/new.js")
    monkeypatch.setattr(shell, "files", lambda: list(written))
    assert shell.worker.__wrapped__("/offline/") != before
