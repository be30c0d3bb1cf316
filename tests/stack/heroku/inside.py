"""Private namespaces: a network in which Heroku's names lead to this machine, and nothing leads out.

A socket belongs to the network that it was made in. The listeners are made inside and served from outside, so
that the programs within reach the double, and the double reaches the containers.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Runs inside: gives the listeners away and stays until nobody needs it any more.
HOLD = """
import fcntl, socket, struct, subprocess, sys
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: up and running
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
subprocess.run(["mount", "--bind", sys.argv[1], "/etc/hosts"], check=True)
outside = socket.socket(fileno=int(sys.argv[2]))
listeners = [socket.create_server(("127.0.0.1", int(port)), backlog=128) for port in sys.argv[3:]]
socket.send_fds(outside, [b"."], [each.fileno() for each in listeners])
outside.recv(1)
"""


class Inside:
    """`listeners[port]` are loopback's, inside."""

    def __init__(self, folder: Path, ports: Sequence[int]) -> None:
        self.hosts = folder / "hosts"
        self.hosts.write_text(f"{LOOPBACK} localhost\n")
        self._here, there = socket.socketpair()
        with there:
            self._holder = subprocess.Popen(
                [
                    *("unshare", "--mount", "--net", sys.executable, "-c", HOLD),
                    *(str(self.hosts), str(there.fileno()), *map(str, ports)),
                ],
                pass_fds=[there.fileno()],
            )
        _, given, _, _ = socket.recv_fds(self._here, 1, len(ports))
        self.listeners = {port: socket.socket(fileno=each) for port, each in zip(ports, given, strict=True)}

    def knows(self, names: Iterable[str]) -> None:
        """From here on these names lead to the double."""
        with self.hosts.open("a") as file:
            file.writelines(f"{LOOPBACK} {name}\n" for name in names)

    def command(self, folder: Path, *words: str) -> list[str]:
        """The command that runs these words inside, in that folder."""
        namespaces = [
            f"--{kind}=/proc/{self._holder.pid}/ns/{file}" for kind, file in (("mount", "mnt"), ("net", "net"))
        ]
        return ["nsenter", *namespaces, "env", "-C", os.fspath(folder), *words]

    def close(self) -> None:
        self._here.close()
        self._holder.wait(10)
