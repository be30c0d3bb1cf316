"""Cookies of users who have logged in, and of guests who have been here before; and somebody who talks to them."""

import json
import sys

from bench.people.house import House
from servers.process import Process

COOKIES = """
import json
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core import signing
from topics.people import COOKIE, SALT

def user(number):
    someone = User(username=f"user{number}")
    someone.set_unusable_password()
    return someone

def session(someone):
    store = SessionStore()
    store[SESSION_KEY] = str(someone.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = someone.get_session_auth_hash()
    store.create()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"

users = [session(one) for one in User.objects.bulk_create(map(user, range(%(count)d)))]
guests = [f"{COOKIE}={signing.dumps([f'{n:016x}', f'Otter {n}'], salt=SALT)}" for n in range(%(count)d)]
print(json.dumps([users, guests]))
"""

TALK = """
import itertools, time
from rooms.topics import RoomTopic
from topics import Person

rooms = [RoomTopic(room=name) for name in %(rooms)r]
talker = Person("guest:talker", "Talker", guest=True)
end = time.monotonic() + %(seconds)d
print("talking", flush=True)
for number in itertools.count():
    if time.monotonic() > end:
        break
    rooms[number %% len(rooms)].append({"body": "x" * 80}, by=talker)
    time.sleep(%(pause)f)
"""


def cookies(house: House, count: int) -> tuple[list[str], list[str]]:
    """Cookie headers of so many users, and of as many guests."""
    users, guests = json.loads(house.shell(COOKIES % {"count": count}).splitlines()[-1])
    return users, guests


class Talker(Process):
    """Says something in one room after the other as a form does: by the log, from a process without sockets."""

    def __init__(self, house: House, url: str, rooms: list[str], per_second: float, seconds: int) -> None:
        script = TALK % {"rooms": rooms, "pause": 1 / per_second, "seconds": seconds}
        command = [sys.executable, "manage.py", "shell", "--command", script]
        env = house.env | {"DATABASE_URL": url}
        super().__init__("talker", command, self._talks, env=env, cwd=house.around.image.app)

    def _talks(self) -> bool:
        return "talking" in self.output()
