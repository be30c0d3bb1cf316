"""What a project's own TOPICS_AUTHENTICATION may name."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from topics.people import Person

ASKED: list[str | None] = []


def by_header(bearer: str | None, headers: Mapping[str, str]) -> Any:
    ASKED.append(bearer)
    return get_user_model().objects.filter(username=headers.get("x-user", "")).first()


async def by_word(bearer: str | None, headers: Mapping[str, str]) -> Any:
    match bearer:
        case "elsewhere":
            return Person("elsewhere:1", "Erin", guest=False)
        case "soon over":
            return Person("elsewhere:2", "Frank", guest=False), timezone.now() + timedelta(seconds=3)
        case "long over":
            return Person("elsewhere:3", "Grace", guest=False), timezone.now() - timedelta(seconds=1)
        case "nonsense":
            return 42
    return None


def broken(bearer: str | None, headers: Mapping[str, str]) -> Any:
    raise ArithmeticError(bearer)
