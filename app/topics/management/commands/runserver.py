"""Django's `runserver`, with the server of production: pages, static files and sockets, reloaded while DEBUG is on."""

import argparse
from contextlib import suppress
from functools import partial
from socket import socket
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import runserver
from django.db import OperationalError, connections

from realtime import listening, process, reloading
from realtime.conf import settings
from realtime.signals import Signals


class Command(runserver.Command):
    help = (
        "Serves the whole site, sockets included, by the server that WS_SERVER names. While DEBUG is on, changes of "
        "the code are loaded as they are saved."
    )

    addr: str  # Django's handle reads both
    port: str

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("addrport", nargs="?", help="port, or address:port, instead of HOST and PORT")
        parser.add_argument("-6", "--ipv6", action="store_true", dest="use_ipv6", help="listen on ::1")
        parser.add_argument("--noreload", action="store_false", dest="use_reloader", help="never reload")
        parser.add_argument(reloading.CHILD, nargs=2, help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        self.default_addr, self.default_port = settings.HOST, str(settings.PORT)
        super().handle(*args, **options)

    def run(self, **options: Any) -> None:
        if options["child"]:
            listeners, reloader = reloading.inherited(*options["child"])
            self._serve(listeners, options, partial(reloading.watch, reloader))
            return
        listeners = listening.listen(self.addr, int(self.port))
        if settings.DEBUG and options["use_reloader"]:
            reloading.Parent(listeners).run()
        else:
            self._serve(listeners, options)

    def _serve(self, listeners: list[socket], options: dict[str, Any], watch: Any = None) -> None:
        signals = Signals()
        if not options["skip_checks"]:
            self.check()
        with suppress(OperationalError):  # the server says so itself, and serves what it can
            self.check_migrations()
        connections.close_all()
        process.run(None, signals, listeners, watch)
