"""The project's settings with the app beside rooms."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "bench.halls"]
ROOT_URLCONF = "bench.halls.urls"
