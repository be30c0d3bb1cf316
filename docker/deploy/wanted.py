"""What an app must have before a version is brought to it: what `heroku create --manifest` makes by heroku.yml."""

from __future__ import annotations

from deploy.heroku import App

STACK = "container"
METADATA = "runtime-dyno-metadata"
RELEASE_COMMAND = ["python", "manage.py", "migrate", "--noinput"]
ADDONS = ("heroku-postgresql:essential-0", "heroku-redis:mini")
SET_BY_ADDONS = ("DATABASE_URL", "REDIS_URL")
# With the values that mend their absence, for the shell of who reads them.
CONFIG = {
    "SECRET_KEY": '"$(openssl rand -hex 32)"',
    "PROXY_HOPS": "1",
    "DATABASE_SSLMODE": "require",
}
NO_IMAGES = "fir"  # the generation of Heroku's platform that runs none


def no_images(app: App) -> str:
    """A sentence where nothing would help, or nothing."""
    if app.generation != NO_IMAGES:
        return ""
    return (
        f"{app.name} is of Heroku's generation Fir, which runs no Docker images: "
        "make an app of the generation Cedar, outside of Fir's spaces, by `heroku create NAME --manifest`"
    )


def lacking(app: App) -> list[str]:
    """All that the app lacks, each with the command that mends it."""
    return [sentence for part in (stack, addons, set_by_addons, variables, own_name) for sentence in part(app)]


def stack(app: App) -> list[str]:
    if app.stack == STACK:
        return []
    return [f"The stack of {app.name} is not {STACK}: `heroku stack:set {STACK} --app {app.name}`"]


def addons(app: App) -> list[str]:
    missing = {plan: service for plan in ADDONS if (service := plan.partition(":")[0]) not in app.addons}
    return [
        f"{app.name} has no {service}: `heroku addons:create {plan} --app {app.name}`"
        for plan, service in missing.items()
    ]


def set_by_addons(app: App) -> list[str]:
    waits = f"where its add-on is still being made, `heroku addons:wait --app {app.name}` waits."
    return [f"{name} is not set: {waits}" for name in SET_BY_ADDONS if not app.config.get(name)]


def variables(app: App) -> list[str]:
    missing = {name: value for name, value in CONFIG.items() if not app.config.get(name)}
    return [
        f"{name} is not set: `heroku config:set {name}={value} --app {app.name}`" for name, value in missing.items()
    ]


def own_name(app: App) -> list[str]:
    if app.config.get("ALLOWED_HOSTS") or METADATA in app.features:
        return []
    return [f"{app.name} does not know its name: `heroku labs:enable {METADATA} --app {app.name}`"]
