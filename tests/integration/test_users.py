"""A project may have users of its own, whose keys are no numbers: they speak like everybody else."""

from pathlib import Path

import pytest

from servers.app import Image, environment
from servers.postgres import Postgres

MODELS = """
import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class Member(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
"""
SETTINGS = """
from config.settings import *

INSTALLED_APPS = ["members", *INSTALLED_APPS]
AUTH_USER_MODEL = "members.Member"
"""
SAY = """
from django.contrib.auth import get_user_model

from rooms.topics import RoomTopic
from topics.models import Entry
from topics.people import guest_of

alice, room = get_user_model().objects.create_user("alice"), RoomTopic(room="lobby")
for person in (alice, guest_of(None)):
    room.append({"body": "hello"}, by=person)
print([entry.user == alice for entry in Entry.objects.order_by("seq")])
"""


@pytest.mark.parametrize("database", ["Postgres", "SQLite"])
def test_users_whose_keys_are_no_numbers_can_speak(
    image: Image, postgres: Postgres, tmp_path: Path, database: str
) -> None:
    url = postgres.create_database("members") if database == "Postgres" else f"sqlite:///{tmp_path}/members.sqlite3"
    env = environment(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="members.settings", PYTHONPATH=str(tmp_path))
    for name, text in {"__init__": "", "models": MODELS, "settings": SETTINGS, "migrations/__init__": ""}.items():
        file = tmp_path / "members" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    image.manage("makemigrations", "members", env=env)
    image.migrate(env)
    assert image.manage("shell", "--command", SAY, env=env).endswith("[True, False]\n")
