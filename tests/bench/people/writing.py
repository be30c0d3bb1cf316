"""Somebody who writes many events that grow, in a process of their own, as a worker that asks language models does:
python -m bench.people.writing HALLS TOKENS_PER_SECOND SECONDS

A token is the moment at which it was written, on the clock that all processes of a machine share. Prints a line when
all are begun, and after the last token how many were written and by how many seconds it was late.
"""

import sys
import time
from contextlib import ExitStack

import django

django.setup()

from bench.halls.topics import Hall  # noqa: E402


def write(halls: list[str], per_second: float, seconds: float) -> None:
    written, late = 0, 0.0
    with ExitStack() as stack:
        outs = [stack.enter_context(Hall(hall=hall).writing()) for hall in halls]
        print("begun", flush=True)
        began = time.perf_counter()
        for turn in range(int(per_second * seconds)):
            time.sleep(max(0.0, began + turn / per_second - time.perf_counter()))
            late = time.perf_counter() - began - turn / per_second
            for out in outs:
                if not out.cancelled:
                    out.write(f"{time.perf_counter():.4f} ")
                    written += 1
        print(written, late, flush=True)  # their ends, one after the other, are not what is measured


if __name__ == "__main__":
    write(sys.argv[1].split(","), float(sys.argv[2]), float(sys.argv[3]))
