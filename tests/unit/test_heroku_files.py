"""heroku.yml, app.json, docker-compose.yml, the Dockerfile, `make deploy` and the page about Heroku say the same."""

import json
import re
import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from deploy import images, wanted

ROOT = Path(__file__).parents[2]
SET_BY_HAND = {"SECRET_KEY", "VAPID_KEY"}
# Nobody knows the name of an app before the button or a pull request makes it.
NAMES = {"ALLOWED_HOSTS": ".herokuapp.com"}


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Variable(Part):
    description: str
    value: str = ""
    required: bool = True
    generator: Literal["secret"] | None = None


class Dynos(Part):
    quantity: int = Field(ge=0)
    size: Literal["eco", "basic", "standard-1x", "standard-2x", "performance-m", "performance-l"]


Addons = list[Annotated[str, Field(pattern=r"^[a-z-]+:[a-z0-9-]+$")]]
Env = dict[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")], Variable]


class Environment(Part):
    addons: Addons
    formation: dict[str, Dynos]
    env: Env = {}


class AppJson(Environment):
    """What Heroku's schema allows of what this project has a use for."""

    name: Annotated[str, Field(max_length=30)]
    description: str
    keywords: list[str]
    stack: Literal["container"]
    success_url: str
    environments: dict[Literal["review", "test"], Environment]


def text(name: str) -> str:
    return (ROOT / name).read_text()


def read(name: str) -> Any:
    return yaml.safe_load(text(name))


def app_json() -> AppJson:
    return AppJson.model_validate_json(text("app.json"))


def words(pattern: str, name: str) -> list[str]:
    """The list that the file holds behind the pattern."""
    found = re.search(pattern, text(name), re.MULTILINE)
    assert found, pattern
    return list(json.loads(found[1]))


def test_the_web_process_runs_the_same_command_everywhere() -> None:
    on_heroku = shlex.split(read("heroku.yml")["run"]["web"])
    assert on_heroku == read("docker-compose.yml")["services"]["ws"]["command"]
    assert on_heroku == words(r"^CMD (.+)", "app/Dockerfile")


def test_the_release_phase_runs_what_compose_runs_to_migrate() -> None:
    phase = read("heroku.yml")["release"]
    assert phase["image"] == "web"
    (on_heroku,) = (shlex.split(command) for command in phase["command"])
    assert on_heroku == read("docker-compose.yml")["services"]["migrate"]["command"]
    assert on_heroku == wanted.RELEASE_COMMAND
    assert f"CMD {json.dumps(on_heroku)}" in text("docs/heroku.md")


def test_heroku_builds_the_very_image_of_compose() -> None:
    assert read("heroku.yml")["build"]["docker"] == {"web": "app/Dockerfile"}
    services = [read("docker-compose.yml")["services"][name] for name in ("web", "ws", "migrate")]
    assert len({service["image"] for service in services}) == 1
    assert [service["build"] for service in services if "build" in service] == ["app"], "one of them builds it for all"
    assert not re.search(r"--mount|--chmod|--link|<<|# syntax|ENTRYPOINT", text("app/Dockerfile"))


def test_the_button_gives_what_the_manifest_gives() -> None:
    setup = read("heroku.yml")["setup"]
    fixed = {name: entry.value for name, entry in app_json().env.items() if entry.value}
    assert fixed == setup["config"] | NAMES
    assert set(app_json().env) == set(fixed) | SET_BY_HAND
    assert app_json().addons == [each["plan"] for each in setup["addons"]]
    assert set(app_json().formation) == set(read("heroku.yml")["run"])


def test_a_review_app_gets_what_the_button_gives() -> None:
    """Its own add-ons and a secret of its own; the variables are those of the whole file unless it names others."""
    review = app_json().environments["review"]
    assert review.addons == app_json().addons
    assert review.formation == app_json().formation
    assert review.env == {}
    assert {app_json().env[name].generator for name in SET_BY_HAND} == {"secret"}


def test_deploy_asks_for_what_the_manifest_sets_up() -> None:
    assert list(wanted.ADDONS) == app_json().addons
    assert app_json().stack == wanted.STACK
    config = read("heroku.yml")["setup"]["config"]
    mended = {name: value for name, value in wanted.CONFIG.items() if name not in SET_BY_HAND}
    assert mended == {name: config[name] for name in mended}


def test_every_variable_is_one_that_the_settings_read() -> None:
    settings = text("app/config/settings.py")
    assert [name for name in app_json().env if f'"{name}"' not in settings] == []


def test_every_command_of_the_pages_is_typed_by_a_test() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests/stack").glob("*.py"))
    typed = set(re.findall(r'commands\("([^"]+)", "([^"]+)"\)', tests))
    page = re.split(r"^## ", text("docs/heroku.md"), flags=re.MULTILINE)
    shown = {("docs/heroku.md", section.splitlines()[0]) for section in page if "```sh" in section}
    assert shown
    assert typed == shown | {("README.md", "Deploy on Heroku")}
    assert all(section.count("```sh") <= 1 for section in page)


def test_the_pages_steps_by_hand_are_those_of_make_deploy() -> None:
    page = re.sub(r"\\\n +", "", text("docs/heroku.md"))
    for process, context in (("web", "app"), ("release", "-")):
        image = images.OUTPUT.format(image=f"registry.heroku.com/my-rooms/{process}:latest")
        assert " ".join([*images.BUILD, "--output", image, context]) in page
    assert "heroku container:release web release --app my-rooms" in page
