"""What is read from wrk's report."""

import pytest

from bench.scenarios.pages import measured

REPORT = """\
Running 2s test @ http://127.0.0.1:20000/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    17.83ms   54.67ms   1.42s    95.09%
    Req/Sec     1.01k   264.20     1.45k    80.00%
  Latency Distribution
     50%  {p50}
     75%    7.67ms
     90%   15.99ms
     99%  {p99}
  2019 requests in 2.03s, 2.73MB read
{complaint}Requests/sec:    995.93
Transfer/sec:      1.35MB
"""


@pytest.mark.parametrize(
    ("p50", "p99", "milliseconds"),
    [
        ("4.91ms", "340.82ms", (4.91, 340.82)),
        ("910.00us", "  1.02s ", (0.91, 1020)),
        ("1.10s ", "1.50m ", (1100, 90_000)),
    ],
)
def test_rate_and_latencies_in_any_unit(p50: str, p99: str, milliseconds: tuple[float, float]) -> None:
    values = measured(REPORT.format(p50=p50, p99=p99, complaint=""))
    assert values == {"requests_per_s": 995.93, "p50_ms": milliseconds[0], "p99_ms": milliseconds[1]}


@pytest.mark.parametrize(
    "complaint", ["Non-2xx or 3xx responses: 3", "Socket errors: connect 0, read 1, write 0, timeout 0"]
)
def test_an_answer_that_is_no_success_refuses_the_run(complaint: str) -> None:
    assert measured(REPORT.format(p50="1.00ms", p99="2.00ms", complaint=f"  {complaint}\n")) == complaint
