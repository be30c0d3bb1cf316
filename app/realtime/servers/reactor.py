"""Twisted's event loop."""

import asyncio
import contextlib
import sys

from twisted.internet import asyncioreactor


def install() -> None:
    """Lets Twisted run on uvloop where that is installed, else on asyncio's loop.

    There is one reactor a process, chosen at the latest by the first import of Daphne: to be called before.
    """
    if "twisted.internet.reactor" not in sys.modules:
        asyncioreactor.install(_new_event_loop())


def _new_event_loop() -> asyncio.AbstractEventLoop:
    with contextlib.suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()
