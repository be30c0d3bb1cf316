"""The commands that the documentation tells a stranger to type, and that the tests therefore type."""

import re

from stack.compose import ROOT
from stack.heroku.double import HOST

APP = "rooms-of-alice"


def commands(page: str, heading: str) -> list[str]:
    """Of the first list of commands under the heading, for the app of the tests and the double of Heroku."""
    section = re.split(rf"^#+ {re.escape(heading)}$", (ROOT / page).read_text(), flags=re.MULTILINE)[1]
    block = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)[0]
    lines = re.sub(r"\\\n|(?<=\|)\n", " ", block).splitlines()
    return [meant(line.partition("  #")[0].strip()) for line in lines]


def meant(line: str) -> str:
    return line.replace("my-rooms", APP).replace("registry.heroku.com", f"registry.{HOST}")
