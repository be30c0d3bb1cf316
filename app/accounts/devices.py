"""What a reader knows a browser by, of what it calls itself: "Firefox on Windows".

Only the words are looked for that every browser of a kind has. Whatever is not known is shown as it calls itself.
"""

from typing import Final

from django.utils.translation import gettext as _

# The first that is found counts: most browsers call themselves by others' names, too.
BROWSERS: Final = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox/": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS: Final = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}
SHOWN: Final = 60  # characters of what is not known


def device(agent: str) -> str:
    found = [next((name for word, name in names.items() if word in agent), "") for names in (BROWSERS, SYSTEMS)]
    plain = "".join(character for character in agent if character.isprintable())[:SHOWN]
    if all(found):
        return _("{browser} on {system}").format(browser=found[0], system=found[1])
    return found[0] or plain or _("a browser that says nothing about itself")
