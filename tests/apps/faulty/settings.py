"""The project's settings with an app that has bugs."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "apps.faulty"]
ROOT_URLCONF = "apps.faulty.urls"
