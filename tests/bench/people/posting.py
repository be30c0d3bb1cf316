"""Somebody who posts at a fixed rate, in a process of their own: python -m bench.people.posting URL PER_SECOND SECONDS

Prints how many were answered with 204, in all.
"""

import http.client
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

AT_A_TIME: Final = 4  # so that one who waits does not make the next one late


def post(url: str, per_second: float, seconds: float) -> int:
    began = time.perf_counter()
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        moments = [
            [begin / per_second for begin in range(first, int(per_second * seconds), AT_A_TIME)]
            for first in range(AT_A_TIME)
        ]
        return sum(threads.map(lambda mine: at(url, began, mine), moments))


def at(url: str, began: float, moments: list[float]) -> int:
    """On one connection, each at its moment; a server that has closed it is called again."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    stored = 0
    for moment in moments:
        time.sleep(max(0.0, began + moment - time.perf_counter()))
        connection.request("POST", address.path, headers={"Content-Length": "0"})
        answer = connection.getresponse()
        answer.read()
        stored += answer.status == http.HTTPStatus.NO_CONTENT
    connection.close()
    return stored


if __name__ == "__main__":
    print(post(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
