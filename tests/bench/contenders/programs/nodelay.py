"""nginx, on a listening socket with TCP_NODELAY: nodelay.py PORT PROGRAM ARGUMENT…

nchan, unlike nginx's own modules, does not set it for its WebSockets. Without it, a second frame waits 40 ms for the
reader's delayed acknowledgement of the first. Linux hands the option down to the connections; nginx takes over
listening sockets whose numbers stand in its variable.
"""

import os
import socket
import sys

port, *command = sys.argv[1:]
listener = socket.create_server(("127.0.0.1", int(port)), backlog=4096)
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
listener.set_inheritable(True)
os.execve(command[0], command, os.environ | {"NGINX": f"{listener.fileno()};"})
