"""A service with a hidden quota, on a clock of its own: no second of a search is waited for."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from fmbench.core.quota.replay import Seen, Word
from fmbench.core.quota.search import Burst
from fmbench.simulator.behaviour import Quota
from fmbench.simulator.errors import TOO_MANY_REQUESTS, TOO_MANY_TOKENS, TOO_MANY_TOKENS_A_DAY, ServiceError
from fmbench.simulator.quota import Admission

WORDS: dict[str, Word] = {TOO_MANY_REQUESTS: "requests", TOO_MANY_TOKENS: "tokens", TOO_MANY_TOKENS_A_DAY: "daily"}
MINUTE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What lies between a search and the service, in seconds of the service's clock.

    ``lag_s``: the median of how long a request takes to the service, and what it says back; ``stall_s``: the mean of the moments
    in which the machine that sends does nothing, ``stalls`` of them in a burst on average; ``ready_s``: how late a burst begins.
    """

    gap_s: float = 0.005
    lag_s: float = 0.0
    stall_s: float = 0.0
    stalls: float = 0.0
    ready_s: float = 0.0
    ttft_s: float = 0.4


BUSY = Way(gap_s=0.015, lag_s=0.06, stall_s=1.5, stalls=1.0, ready_s=1.0, ttft_s=1.2)
"""A busy machine, as searches with minutes of 20 s see it: a stall of half a second is 1.5 s of the service's."""


@dataclass(slots=True)
class _Burst:
    """One burst on its way."""

    burst: Burst
    prompt: int
    most: int
    sent: int = 0
    left: int | None = None
    seen: list[Seen] = field(default_factory=list)

    def next_size(self) -> tuple[int, int] | None:
        """The size of the next request; None: there is none."""
        if self.left is None:
            if self.sent >= self.burst.limit:
                return None
        elif self.left == 0:
            return None
        else:
            self.left -= 1
            self.prompt, self.most = max(1, self.prompt // 2), max(1, self.most // 2)
        self.sent += 1
        return self.prompt, self.most


class Service:
    """Sends the bursts of a search to an ``Admission``, each request a moment after the one before, its answer over after some
    time."""

    def __init__(self, quota: Quota, seed: int, way: Way | None = None, tpot_s: float = 0.01) -> None:
        self.now = 1_000_000.0 + Random(seed).uniform(0, 60)
        self.began = self.now
        self._admission = Admission(quota, lambda: self.now)
        self._random = Random(f"{seed}/latency")
        self._way, self._tpot_s = way or Way(), tpot_s
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._last = self.now - MINUTE_S
        self._stalled = (0.0, 0.0)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the search began, on the service's clock."""
        return self.now - self.began

    def burst(self, burst: Burst) -> Sequence[Seen]:
        """Everything that was seen of one burst."""
        start = max(self.now, self._last + burst.quiet_s)
        start += 0.0 if burst.at is None else (burst.at - start) % MINUTE_S
        start += self._way.ready_s * self._random.expovariate(1.0) if self._way.ready_s else 0.0
        going = _Burst(burst, burst.prompt_tokens, burst.max_tokens)
        begins = start + self._random.uniform(0, self._way.gap_s * burst.limit) if self._way.stalls else start
        lasts = self._random.expovariate(1 / self._way.stall_s) if self._random.random() < self._way.stalls else 0.0
        self._stalled = (begins, begins + lasts)
        self._at(start, lambda: self._send(going))
        self._run()
        return going.seen

    def _run(self) -> None:
        """Until nothing is on its way."""
        while self._events:
            when, _, event = heapq.heappop(self._events)
            self.now = max(self.now, when)
            event()

    def _at(self, when: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), event))

    def _awake(self, when: float) -> float:
        """The next moment from ``when`` on in which the machine that sends does anything."""
        return self._stalled[1] if self._stalled[0] <= when < self._stalled[1] else when

    def _lag(self) -> float:
        return self._way.lag_s * math.exp(self._random.gauss(0, 0.8)) if self._way.lag_s else 0.0

    def _send(self, going: _Burst) -> None:
        size = going.next_size()
        if size is None:
            return
        self._last = at = self.now
        output = min(size[1], going.burst.output_tokens)
        self._at(at + self._lag(), lambda: self._arrive(going, at, size, output))
        self._at(self._awake(at + self._way.gap_s * self._random.uniform(0.5, 1.5)), lambda: self._send(going))

    def _arrive(self, going: _Burst, at: float, size: tuple[int, int], output: int) -> None:
        prompt, most = size
        try:
            ticket = self._admission.admit(prompt, most)
        except ServiceError as error:
            heard = self._awake(self.now + self._lag())
            told = Seen(
                at=heard, ended_at=heard, input_tokens=prompt, max_tokens=most, output_tokens=0, word=WORDS[error.message]
            )
            self._at(heard, lambda: self._heard(going, told))
            return
        over = self.now + self._way.ttft_s * self._random.lognormvariate(0, 0.2) + output * self._tpot_s
        heard = self._awake(over + self._lag())
        self._at(over, lambda: self._admission.settle(ticket, output))
        seen = Seen(at=at, ended_at=heard, input_tokens=prompt, max_tokens=most, output_tokens=output)
        self._at(heard, lambda: going.seen.append(seen))

    def _heard(self, going: _Burst, told: Seen) -> None:
        going.seen.append(told)
        if going.left is None:
            going.left = going.burst.shrink
