"""The project's settings with a foreign app beside rooms, as somebody who builds on this has them."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "apps.polls"]
ROOT_URLCONF = "apps.urls"
