"""ASGI's lifespan, by which servers that are not started by `realtime.serve` say that they end."""

from typing import Any

from realtime import drain, registry


async def lifespan(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Stores what was accepted and leaves nothing behind; from the first word about it on nobody is let in."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    drain.begin()
    await registry.leave()
    await send({"type": "lifespan.shutdown.complete"})
