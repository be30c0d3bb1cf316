"""What the Platform API says about things."""

from typing import Any

from stack.heroku.app import METADATA, App, Release

DATE = "2026-01-01T00:00:00Z"
EMAIL = "alice@example.org"


def app(app: App, host: str) -> dict[str, Any]:
    return {
        "id": app.name,
        "name": app.name,
        "generation": {"id": app.generation, "name": app.generation},
        "stack": {"name": app.stack},
        "build_stack": {"name": app.stack},
        "web_url": f"https://{app.domain}/",
        "git_url": f"https://git.{host}/{app.name}.git",
        "region": {"name": "eu"},
        "owner": {"id": "alice", "email": EMAIL},
        "created_at": DATE,
        "updated_at": DATE,
        "released_at": DATE,
    }


def release(app: App, one: Release, host: str) -> dict[str, Any]:
    phase = "release" in one.processes
    return {
        "id": one.id,
        "version": one.version,
        "status": one.status,
        "eligible_for_rollback": one.kept,
        "current": one.status == "succeeded" and one is app.current,
        "description": one.description,
        "output_stream_url": f"https://output.{host}/{one.id}" if phase else None,
        "created_at": DATE,
        "user": {"email": EMAIL},
    }


def addon(app: App, plan: str) -> dict[str, Any]:
    service = plan.partition(":")[0]
    return {
        "id": f"{app.name}-{service}",
        "name": f"{service}-{app.name}",
        "addon_service": {"name": service},
        "plan": {"name": plan, "price": {"cents": 500, "unit": "month"}},
        "config_vars": [{"heroku-postgresql": "DATABASE_URL", "heroku-redis": "REDIS_URL"}[service]],
        "state": "provisioned",
        "app": {"name": app.name},
    }


def formation(app: App) -> list[dict[str, Any]]:
    return [
        {"type": kind, "quantity": quantity, "size": "Basic", "app": {"name": app.name}}
        for kind, quantity in app.quantity.items()
    ]


def feature(app: App) -> dict[str, Any]:
    return {
        "name": METADATA,
        "enabled": METADATA in app.features,
        "state": "beta",
        "description": "Dyno metadata",
        "doc_url": "",
    }
