"""What a person is called where she is shown: in the logs all who have left have one name, which is in English."""

from django.utils.translation import gettext

from topics.people import FORMER


def called(name: str) -> str:
    return gettext("Former member") if name == FORMER else name
