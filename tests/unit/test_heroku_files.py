"""heroku.yml, app.json, docker-compose.yml, the Dockerfile and `make deploy` say the same."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SET_BY_HAND = {"SECRET_KEY"}
OPTIONAL = {"ALLOWED_HOSTS"}


def text(name: str) -> str:
    return (ROOT / name).read_text()


def section(yaml: str, name: str) -> str:
    """The lines below a key, which are indented more than it is."""
    found = re.search(rf"^( *){name}:(?: &\w+)?\n((?:\1 +.*\n)+)", yaml, re.MULTILINE)
    assert found, name
    return found[2]


def config_of_heroku_yml() -> dict[str, str]:
    return dict(re.findall(r'^ +([A-Z_]+): "?([^"\n]*)"?$', section(text("heroku.yml"), "config"), re.MULTILINE))


def app_json() -> Any:
    return json.loads(text("app.json"))


def command(lines: str, pattern: str) -> list[str]:
    found = re.search(pattern, lines)
    assert found, pattern
    return re.findall(r"[^\s,\"\[\]]+", found[1])


def test_the_web_process_runs_the_same_command_everywhere() -> None:
    on_heroku = command(text("heroku.yml"), r"run:\n +web: (.+)")
    assert on_heroku == command(section(text("docker-compose.yml"), "ws"), r"command: (.+)")
    assert on_heroku == command(text("app/Dockerfile"), r"\nCMD (.+)")


def test_the_release_phase_runs_what_compose_runs_to_migrate() -> None:
    on_heroku = command(text("heroku.yml"), r"release:\n +image: web\n +command:\n +- (.+)")
    assert on_heroku == command(section(text("docker-compose.yml"), "migrate"), r"command: (.+)")
    assert on_heroku == command(text("docker/deploy.sh"), r"release_command='(.+)'")


def test_heroku_builds_the_very_image_of_compose() -> None:
    assert "web: app/Dockerfile" in section(text("heroku.yml"), "build")
    assert "build: app\n" in text("docker-compose.yml")
    assert not re.search(r"--mount|--chmod|--link|<<|# syntax|ENTRYPOINT", text("app/Dockerfile"))


def test_the_button_gives_what_the_manifest_gives() -> None:
    fixed = {name: entry["value"] for name, entry in app_json()["env"].items() if "value" in entry}
    assert fixed == config_of_heroku_yml()
    assert set(app_json()["env"]) == set(fixed) | SET_BY_HAND | OPTIONAL
    plans = re.findall(r"plan: (\S+)", text("heroku.yml"))
    assert app_json()["addons"] == plans
    assert app_json()["stack"] == "container"
    assert set(app_json()["formation"]) == set(
        re.findall(r"^  (\w+):", section(text("heroku.yml"), "run"), re.MULTILINE)
    )


def test_deploy_asks_for_what_the_manifest_sets_up() -> None:
    script = text("docker/deploy.sh")
    assert re.findall(r"\S+", re.findall(r"\naddons=\((.+)\)", script)[0]) == app_json()["addons"]
    asked = set(re.findall(r"\nconfig=\((.+)\)", script)[0].split())
    assert asked - SET_BY_HAND <= set(config_of_heroku_yml())
    mended = dict(re.findall(r"echo ([A-Z_]+)=(\w+) ;;", script))
    assert mended == {name: config_of_heroku_yml()[name] for name in asked - SET_BY_HAND}


def test_every_variable_is_one_that_the_settings_read() -> None:
    settings = text("app/config/settings.py")
    assert [name for name in app_json()["env"] if f'"{name}"' not in settings] == []
