"""python3 -m deploy APP, in docker/.

Builds, pushes, runs the release phase (migrations) and, when that has succeeded, the new version; then asks the
deployed app whether it works. What is missing is said in one sentence with the command that mends it.
"""

from __future__ import annotations

import shutil
import sys
import time

from deploy import images, running, wanted
from deploy.heroku import App, Heroku, Releases, Unanswered
from deploy.programs import STEP_SECONDS, Refused, say, works

PHASE_SECONDS = 3600  # Heroku ends a release phase after an hour
INTERRUPTED = 130  # the status, as shells have it


def main(arguments: list[str]) -> int:
    try:
        deploy(*arguments[:1])
    except Refused as error:
        for sentence in error.args:
            say(sentence)
        return 1
    except KeyboardInterrupt:
        say("Interrupted. A release that has begun goes on by itself: `heroku releases` shows what becomes of it.")
        return INTERRUPTED
    return 0


def deploy(name: str = "") -> None:
    """Raises Refused."""
    check_tools(name)
    heroku = Heroku(name)
    app, before = heroku.look()
    check_app(app)
    say("building and pushing")
    images.push_all(name)
    say("releasing")
    after = release(heroku, before)
    if after.newest == before.newest:
        say(f"nothing to release: v{before.newest} is this very version")
        return
    say(f"waiting for v{after.newest} to run")
    if trouble := running.trouble(heroku, after.newest, app.web_url):
        raise Refused(f"{trouble} `heroku logs --app {name}` shows why{back_to_the_last(name, after)}")
    say(f"v{after.newest} runs on {app.web_url}")
    tell_how_to_go_back(name, after)


# --- what it needs ---


def check_tools(name: str) -> None:
    if not name:
        raise Refused("Which app? `make deploy APP=name`")
    if not shutil.which("curl"):
        raise Refused("curl is missing: install it with your system's package manager.")
    if not works("docker", "info"):
        raise Refused("No Docker engine answers: https://docs.docker.com/engine/install/ or start it.")
    if not works("docker", "buildx", "version"):
        raise Refused("Docker's buildx is missing: `apt-get install docker-buildx-plugin`")
    if not shutil.which("heroku"):
        raise Refused("The heroku CLI is missing: `npm install --global heroku`")
    if not works("heroku", "auth:whoami"):
        raise Refused("Nobody is logged in to Heroku: `heroku login`")


def check_app(app: App) -> None:
    """All that the app lacks is said before anything is done."""
    if sentence := wanted.no_images(app):
        raise Refused(sentence)
    if sentences := wanted.lacking(app):
        raise Refused(*sentences)


# --- what it does ---


def release(heroku: Heroku, before: Releases) -> Releases:
    """What there is afterwards: the same where there was nothing to release. Raises Refused where it has failed."""
    taken = heroku.release()
    try:
        after = ended(heroku)
    except Unanswered:
        raise Refused(
            f"Heroku does not answer: `heroku releases --app {heroku.name}` shows what became of it."
        ) from None
    good = taken if after.newest == before.newest else after.serving == after.newest
    if not good:
        raise Refused(
            f"The release failed and v{before.serving} goes on: `heroku releases:output --app {heroku.name}` shows why."
        )
    return after


def ended(heroku: Heroku) -> Releases:
    """The CLI stops listening to a release phase that says nothing for a minute, but the phase goes on."""
    deadline = time.monotonic() + PHASE_SECONDS
    while (releases := heroku.releases()).pending and time.monotonic() < deadline:
        say("the release phase goes on")
        heroku.show_release_phase()
        time.sleep(STEP_SECONDS)
    return releases


# --- going back ---


def back_to_the_last(name: str, after: Releases) -> str:
    """The end of a sentence about what went wrong."""
    if not (earlier := after.before(after.newest)):
        return "; there is no earlier version to go back to."
    return f", `heroku rollback v{earlier[0]} --app {name}` brings back v{earlier[0]}."


def tell_how_to_go_back(name: str, after: Releases) -> None:
    if earlier := after.before(after.newest):
        *others, last = [f"v{version}" for version in earlier]
        kept = f"{', '.join(others)} and {last}" if others else last
        say(f"`heroku rollback v{earlier[0]} --app {name}` goes back; Heroku has the images of {kept}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
