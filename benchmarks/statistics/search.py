"""Does a search find the limit? 200 simulated servers whose capacity is known exactly.

Four kinds of servers, closed loops of N users: a queue before c servers (M/M/c: a request waits for N - c others, and is
served), a batching server (each user more makes all slower), one with slow spells of 5 s, and one with a quota that refuses
what is too much. The objective is p95 end to end within a limit, and at most 2 % failures; the true limit is the largest N
whose true shares keep both, worked out from the server's parameters.

- *within tolerance*: the found limit is at most 10 % (or one user) from the true one;
- *false claim*: a level is shown as meeting, and truly misses by more than the tolerance (it is above 1.1 times the true limit);
- *requests*: spent, beside the grid ``1, 2, 4, ... highest`` refined to the same tolerance.

    python benchmarks/statistics/search.py [--servers 200] [--seed 1]
"""

from __future__ import annotations

import argparse
import heapq
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from fmbench.core.search import Found, Level, Search, SearchSpec
from fmbench.core.sequential import Evidence, all_of, independent_blocks, share_evidence

Floats = NDArray[np.float64]
SLOW, ERRORS = 0.05, 0.02
SLICE_S, MOST_S = 1.0, 600.0
SIGMA, SLOWER = 0.35, 1.5


@dataclass(frozen=True)
class Server:
    """``serve(rng, users, seconds)`` gives (sent, end to end, failed) of a window; ``slow`` and ``failing``: true shares."""

    kind: str
    limit_s: float
    serve: Callable[[np.random.Generator, int, float], tuple[Floats, Floats, Floats]]
    slow: Callable[[int], float]
    failing: Callable[[int], float]

    def meets(self, users: int) -> bool:
        return self.slow(users) <= SLOW and self.failing(users) <= ERRORS

    def truth(self, highest: int) -> int:
        return max((users for users in range(1, highest + 1) if self.meets(users)), default=0)


def queue(rng: np.random.Generator) -> Server:
    """M/M/c. With N > c users the wait is Erlang(N - c, c / service); the service exponential."""
    servers, service = int(rng.integers(2, 40)), float(rng.uniform(0.2, 1.0))
    wanted = servers * float(rng.uniform(1.1, 3.0))
    limit = service * (3.0 + wanted / servers)

    def slow(users: int) -> float:
        waiting = users - servers
        if waiting <= 0:
            return math.exp(-limit / service)
        grid = (np.arange(4000) + 0.5) / 4000
        waits = stats.gamma.ppf(grid, waiting, scale=service / servers)
        return float(np.mean(np.exp(-np.maximum(limit - waits, 0) / service)))

    def serve(rng: np.random.Generator, users: int, seconds: float) -> tuple[Floats, Floats, Floats]:
        free = [0.0] * servers
        ready = [(float(at), user) for user, at in enumerate(rng.uniform(0, service, users))]
        heapq.heapify(ready)
        sent, took = [], []
        while ready[0][0] < seconds:
            at, user = heapq.heappop(ready)
            begin = max(at, heapq.heappop(free))
            end = begin + rng.exponential(service)
            heapq.heappush(free, end)
            heapq.heappush(ready, (end, user))
            sent.append(at)
            took.append(end - at)
        return np.array(sent), np.array(took), np.zeros(len(sent))

    return Server("queue", limit, serve, slow, lambda users: 0.0)


def batching(rng: np.random.Generator, spells: bool) -> Server:
    """Latency grows with the users; one in ten seconds may lie in a spell of 5 s that is 1.5 times as slow."""
    base, growth = float(rng.uniform(0.3, 1.0)), float(rng.uniform(0.2, 1.0))
    at_limit = float(rng.uniform(3, 60))
    share = 0.1 if spells else 0.0

    def beyond(limit: float, users: float) -> float:
        middle = base * (1 + growth * users)
        usual, slower = (stats.norm.sf(math.log(limit / (factor * middle)) / SIGMA) for factor in (1, SLOWER))
        # a closed loop sends fewer requests while all is slower
        weight = share / SLOWER / (share / SLOWER + 1 - share)
        return float((1 - weight) * usual + weight * slower)

    limit = float(optimize.brentq(lambda value: beyond(value, at_limit) - SLOW, 1e-3, 1e3))

    def serve(rng: np.random.Generator, users: int, seconds: float) -> tuple[Floats, Floats, Floats]:
        slow = spells_of(rng, seconds, 5.0, share) if spells else np.empty((0, 2))
        middle = base * (1 + growth * users)
        each = math.ceil(seconds / middle * 1.6) + 30
        took = middle * rng.lognormal(0, SIGMA, (users, each))
        at = np.empty_like(took)
        now = rng.uniform(0, middle, users)
        for step in range(each):
            inside = (np.searchsorted(slow[:, 0], now, side="right") > np.searchsorted(slow[:, 1], now, side="right")) * 1.0
            took[:, step] *= 1 + (SLOWER - 1) * inside
            at[:, step] = now
            now = now + took[:, step]
        kept = at < seconds
        order = np.argsort(at[kept])
        return at[kept][order], took[kept][order], np.zeros(int(kept.sum()))

    return Server("spells" if spells else "batching", limit, serve, lambda users: beyond(limit, users), lambda users: 0.0)


def spells_of(rng: np.random.Generator, seconds: float, length: float, share: float) -> Floats:
    """Begins and ends of spells that come at random and take up a share of the time."""
    gap = length * (1 - share) / share
    count = int(4 * seconds / (gap + length) + 20)
    edges = np.cumsum(np.stack([rng.exponential(gap, count), rng.exponential(length, count)], axis=1).ravel()).reshape(-1, 2)
    return edges - edges[int(rng.integers(5)), 1]


def quota(rng: np.random.Generator) -> Server:
    """Users who each send some requests a second; what is beyond the quota of a second is refused at once."""
    pace, allowed = float(rng.uniform(0.5, 2.0)), int(rng.integers(10, 80))

    def failing(users: int) -> float:
        offered = users * pace
        counts = np.arange(allowed, allowed + 40 + int(6 * offered))
        refused = float(np.sum((counts - allowed) * stats.poisson.pmf(counts, offered)))
        return refused / offered

    def serve(rng: np.random.Generator, users: int, seconds: float) -> tuple[Floats, Floats, Floats]:
        sent = np.sort(rng.uniform(0, seconds, rng.poisson(users * pace * seconds)))
        second = sent.astype(int)
        place = np.arange(len(sent)) - np.searchsorted(second, second)
        return sent, np.full(len(sent), 0.5), (place >= allowed).astype(float)

    return Server("quota", 1.0, serve, lambda users: 0.0, failing)


KINDS: list[Callable[[np.random.Generator], Server]] = [
    queue,
    lambda rng: batching(rng, False),
    lambda rng: batching(rng, True),
    quota,
]


def measure(rng: np.random.Generator, server: Server, step: Level) -> tuple[int, Evidence]:
    """A visit of a level: looked at every few seconds, until it has shown enough or may not go on."""
    sent, took, failed = server.serve(rng, int(step.level), MOST_S)
    if len(sent) > step.requests:
        sent, took, failed = sent[: step.requests], took[: step.requests], failed[: step.requests]
    evidence = Evidence(0.0, 0.0)
    seconds, end = 5.0, float(sent[-1])
    while seconds < end + 5.0:
        seen = int(np.searchsorted(sent, seconds))
        evidence = evidence_of(sent[:seen], took[:seen], failed[:seen], server.limit_s, seconds)
        if step.enough(evidence) or seen == len(sent):
            return seen, evidence
        seconds *= 1.2
    return len(sent), evidence


def evidence_of(sent: Floats, took: Floats, failed: Floats, limit: float, seconds: float) -> Evidence:
    slices = max(1, int(seconds / SLICE_S))
    place = np.minimum((sent / seconds * slices).astype(int), slices - 1)
    counted = np.bincount(place, minlength=slices).astype(float)
    found = []
    for flags, share in ((took > limit, SLOW), (failed > 0, ERRORS)):
        hits = np.bincount(place, weights=flags.astype(float), minlength=slices)
        found.append(share_evidence(*independent_blocks(hits, counted, seconds / slices, SLICE_S), share))
    return all_of(found)


def find(rng: np.random.Generator, server: Server, highest: int, most: int) -> Found:
    search = Search(SearchSpec(lowest=1, highest=highest, most_requests=most))
    while isinstance(step := search.next(), Level):
        search.observe(step.level, *measure(rng, server, step))
    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=200)
    parser.add_argument("--highest", type=int, default=256)
    parser.add_argument("--most", type=int, default=4000, help="requests at one level")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    tally: dict[str, Counter[str]] = {}
    spent: dict[str, list[tuple[int, float]]] = {}
    for number in range(given.servers):
        server = KINDS[number % len(KINDS)](rng)
        truth = server.truth(given.highest)
        found = find(rng, server, given.highest, given.most)
        limit, meeting = found.limit or 0.0, found.interval[0]
        row = tally.setdefault(server.kind, Counter())
        near = abs(limit - truth) <= max(0.1 * truth, 1)
        row += Counter({"servers": 1, "near": near, "false": meeting > max(1.1 * truth, truth + 1)})
        row += Counter({"covered": meeting <= truth and (found.interval[1] is None or truth < found.interval[1])})
        spent.setdefault(server.kind, []).append((found.requests, found.requests / found.grid_requests))
    print(
        "| server | servers | within tolerance | false claims | interval holds the limit | requests, median | share of the grid |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|")
    everything = {**tally, "all": sum(tally.values(), Counter())}
    spent["all"] = [pair for pairs in list(spent.values()) for pair in pairs]
    for kind, row in everything.items():
        total = row["servers"]
        cells = [f"{100 * row[name] / total:.1f} %" for name in ("near", "false", "covered")]
        requests, share = np.median(np.array(spent[kind]), axis=0)
        print(f"| {kind} | {total} | {' | '.join(cells)} | {requests:,.0f} | {share:.2f} |")


if __name__ == "__main__":
    main()
