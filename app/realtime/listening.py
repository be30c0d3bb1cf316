"""The sockets that listen: bound before anything is imported that takes long, so that a taken port is known at once."""

import ctypes
import errno
import socket
import struct
import sys
from contextlib import suppress
from typing import Any

from realtime.ending import TAKEN_PORT, refuse
from realtime.limits import UNACKNOWLEDGED_SECONDS

ATTACH_FILTER = 26  # SO_ATTACH_FILTER, which Python's socket has not
NOTHING_PASSES = struct.pack("HBBI", 0x06, 0, 0, 0)  # a program for the kernel's packet filter: return 0
NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}  # an address that this machine does not have

Address = tuple[socket.AddressFamily, Any]


def listen(host: str, port: int) -> list[socket.socket]:
    """One socket for each address of the host. Raises SystemExit, with a sentence, where there is none to be had."""
    try:
        return bind_those_here(addresses(host, port))
    except OSError as error:
        refuse(f"Port {port} on {host} cannot be had ({error.strerror}): free it, or set PORT and HOST.", TAKEN_PORT)


def addresses(host: str, port: int) -> list[Address]:
    """`localhost` is both loopback addresses to browsers, whatever /etc/hosts says."""
    names = ("127.0.0.1", "::1") if host == "localhost" else (host,)
    found = [
        entry
        for name in names
        for entry in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    ]
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def bind_those_here(wanted: list[Address]) -> list[socket.socket]:
    """Skips what this machine does not have, such as ::1 without IPv6, unless it has none of them."""
    listeners, missing = [], []
    for family, address in wanted:
        try:
            listeners.append(bind(family, address))
        except OSError as error:
            if error.errno not in NOT_HERE:
                raise
            missing.append(error)
    if not listeners:
        raise missing[0]
    return listeners


def bind(family: socket.AddressFamily, address: Any) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.setblocking(False)
    # Connections inherit these. The last one drops a peer that has vanished or takes nothing.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_SECONDS * 1000)
    return listener


def close_queue(listener: socket.socket) -> None:
    """From now on nobody is added to the kernel's queue of this listener, where the system can do that.

    It would forget whoever is added between the last accept() and close(), who would see a connection that ends
    without an answer. Whoever is not let in asks again a second later, and is refused then, or finds the next process.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(NOTHING_PASSES)
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))


def url(listener: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "127.0.0.1", "::", "::1"}:
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
