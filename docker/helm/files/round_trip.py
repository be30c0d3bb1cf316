"""A page, and a frame that goes to the server of sockets and comes back: round_trip.py WEB WS HOST SCHEME

It comes as the Gateway does: the site's name and scheme are said by headers. Nothing is stored.
"""

import json
import socket
import sys
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from websockets.sync.client import connect

web, ws, host, scheme = sys.argv[1:]
headers = {"X-Forwarded-Proto": scheme, "X-Forwarded-For": "127.0.0.1"}

with urlopen(Request(web, headers=headers | {"Host": host}), timeout=10) as page:
    print("web:", page.status)

server = urlsplit(ws)
line = socket.create_connection((server.hostname, server.port), timeout=10)
with connect(
    f"ws://{host}/ws/", sock=line, additional_headers=headers, subprotocols=["topics.v1"], compression=None, proxy=None
) as talk:
    kinds = [json.loads(talk.recv(timeout=10))["type"]]
    talk.send('{"type":"ping"}')
    while kinds[-1] != "pong":
        kinds.append(json.loads(talk.recv(timeout=10))["type"])
print("ws:", ", ".join(kinds))
