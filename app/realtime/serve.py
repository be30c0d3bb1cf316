"""python -m realtime.serve: the ASGI role, under Daphne or uvicorn.

SIGTERM drains: not ready, nobody is let in, every socket is told goodbye, what was accepted is stored, and
the process ends with 0. SIGINT ends it at once. Both may come at any moment, and more than once.
"""

from realtime.signals import Signals


def main(application: object = None) -> None:
    """Serves the settings' ASGI_APPLICATION, or the given one, until a signal comes."""
    signals = Signals()  # before the imports, which take the better part of a second
    from realtime.process import run

    run(application, signals)


if __name__ == "__main__":
    main()
