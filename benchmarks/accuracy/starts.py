"""``python -m benchmarks.accuracy.starts``: what the start of a request costs, apart from the events of its answer.

Answers of 1 and of 40 events on connections that are kept: the line through both says CPU an event, and at no event CPU a
request: salting, hashing, signing (Signature Version 4), sending and the answer's head. Plain and TLS, medians of the rounds. A
connection costs what the first request of a stream takes more, by runs of one request a stream beside runs of many. The bar:
0.4 ms.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from statistics import median

from benchmarks.accuracy.busy import busy
from benchmarks.accuracy.clients import python_client
from benchmarks.accuracy.work import Work
from fmbench.simulator import start
from fmbench.simulator.behaviour import Simulator

PROFILE = {"ttft_s": 0.05, "tpot_s": 0.005, "jitter": 0.5}
SHORT, LONG = 1, 40
STREAMS, REQUESTS = 32, 20
BAR_MS = 0.4


@dataclass(frozen=True)
class Cost:
    """CPU of a request's start and of a new connection, ms, and of an event, µs."""

    start_ms: float
    connection_ms: float
    event_us: float


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy.starts", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--busy", type=int, default=0, metavar="LOOPS", help="busy loops beside it")
    options = parser.parse_args()
    print("| connections | CPU of a start, ms | from – to | of a new connection more, ms | of an event, µs |")
    print("|---|--:|---|--:|--:|", flush=True)
    worst = 0.0
    for name in ("plain", "tls"):
        with start(Simulator.model_validate({"profile": PROFILE, "tls": name == "tls"})) as endpoint, busy(options.busy):
            found = [cost_at(endpoint.url, endpoint.ca_bundle) for _ in range(options.repeats)]
        starts = [one.start_ms for one in found]
        connection, event = median(one.connection_ms for one in found), median(one.event_us for one in found)
        print(
            f"| {name} | {median(starts):.2f} | {min(starts):.2f} – {max(starts):.2f} | {connection:.2f} | {event:.1f} |",
            flush=True,
        )
        worst = max(worst, median(starts))
    raise SystemExit(worst > BAR_MS)


def cost_at(url: str, ca_bundle: str | None) -> Cost:
    """One round."""
    short, long = (_a_request_ms(url, ca_bundle, REQUESTS, tokens) for tokens in (SHORT, LONG))
    event = (long - short) / (LONG - SHORT)
    new = _a_request_ms(url, ca_bundle, 0, SHORT)
    connection = (new - short) * (1 + REQUESTS) / REQUESTS  # one in so many of the others made a connection too
    start_ms = short - event * SHORT - connection / (1 + REQUESTS)
    return Cost(start_ms, connection, event * 1e3)


def _a_request_ms(url: str, ca_bundle: str | None, requests: int, tokens: int) -> float:
    streams = STREAMS if requests else 4 * STREAMS
    done = python_client("client_fmbench")(Work(url=url, ca_bundle=ca_bundle, streams=streams, requests=requests, tokens=tokens))
    return done.cpu_ns / len(done.rows) / 1e6


if __name__ == "__main__":
    main()
