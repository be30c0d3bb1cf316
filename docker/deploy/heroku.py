"""What the heroku CLI knows of one app."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from deploy.programs import Refused, run, shown

HOST = os.environ.get("HEROKU_HOST") or "heroku.com"  # the CLI's own variable: another Heroku
KEPT = 20  # releases whose images Heroku keeps, however old they are


@dataclass(frozen=True)
class App:
    name: str
    generation: str
    stack: str
    web_url: str
    addons: frozenset[str]
    config: dict[str, str]
    features: frozenset[str]  # those that are on


@dataclass(frozen=True)
class Release:
    version: int
    status: str
    has_image: bool  # Heroku would go back to it

    @property
    def good(self) -> bool:
        return self.status == "succeeded"


class Releases:
    """The latest ones."""

    def __init__(self, releases: list[Release]) -> None:
        self.all = releases

    @property
    def newest(self) -> int:
        return max((each.version for each in self.all), default=0)

    @property
    def serving(self) -> int:
        return max((each.version for each in self.all if each.good), default=0)

    @property
    def pending(self) -> bool:
        return any(each.status == "pending" for each in self.all)

    def before(self, version: int) -> list[int]:
        """Those that one can go back to from there, the latest first."""
        return sorted(
            (each.version for each in self.all if each.good and each.has_image and each.version < version), reverse=True
        )


class Unanswered(Exception):
    """By the command of the CLI that has failed."""


class Heroku:
    def __init__(self, name: str) -> None:
        self.name = name

    def look(self) -> tuple[App, Releases]:
        """Raises Refused where there is no such app, or Heroku does not answer."""
        with ThreadPoolExecutor() as asking:
            asked = [asking.submit(self._ask, *words) for words in (["apps:info"], ["config"], ["labs"])]
            releases = asking.submit(self.releases)
        try:
            info, config, labs = (each.result() for each in asked)
            return described(self.name, info, config, labs), releases.result()
        except Unanswered as error:
            if str(error) == "apps:info":
                raise Refused(
                    f"There is no app {self.name} that you may deploy: `heroku create {self.name} --manifest`"
                ) from None
            raise Refused(f"Heroku does not answer: `heroku {error} --app {self.name}` shows why.") from None

    def releases(self) -> Releases:
        """Raises Unanswered."""
        said = self._ask("releases", "--num", str(KEPT))
        # A CLI that is too old to ask says nothing of images.
        return Releases(
            [Release(each["version"], each["status"], each.get("eligible_for_rollback", True)) for each in said]
        )

    def web_dynos(self) -> set[tuple[str, int]]:
        """State and version of each. Raises Unanswered."""
        return {(each["state"], each["release"]["version"]) for each in self._ask("ps") if each["type"] == "web"}

    def release(self) -> bool:
        return shown("heroku", "container:release", "web", "release", "--app", self.name)

    def show_release_phase(self) -> None:
        shown("heroku", "releases:output", "--app", self.name)

    def _ask(self, command: str, *options: str) -> Any:
        asked = run("heroku", command, "--json", *options, "--app", self.name)
        try:
            if asked.returncode == 0:
                return json.loads(asked.stdout)
        except ValueError:
            pass
        raise Unanswered(command)


def described(name: str, info: Any, config: dict[str, str], labs: Any) -> App:
    app = info["app"]
    return App(
        name=name,
        generation=generation(app),
        stack=app["stack"]["name"],
        web_url=app["web_url"],
        addons=frozenset(each["addon_service"]["name"] for each in info["addons"]),
        config=config,
        features=frozenset(each["name"] for each in labs["app"] if each["enabled"]),
    )


def generation(app: Any) -> str:
    """Empty where Heroku says none. Some of its answers have the name alone."""
    said = app.get("generation") or ""
    return str(said if isinstance(said, str) else said.get("name", ""))
