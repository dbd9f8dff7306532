"""A service with a hidden quota, on a clock of its own: no second of a search is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from fmbench.core.quota.replay import Seen, Word
from fmbench.core.quota.search import Burst
from fmbench.simulator.behaviour import Quota
from fmbench.simulator.errors import TOO_MANY_REQUESTS, TOO_MANY_TOKENS, TOO_MANY_TOKENS_A_DAY, ServiceError
from fmbench.simulator.quota import Admission, Ticket

WORDS: dict[str, Word] = {TOO_MANY_REQUESTS: "requests", TOO_MANY_TOKENS: "tokens", TOO_MANY_TOKENS_A_DAY: "daily"}
MINUTE_S = 60.0


class Service:
    """Sends the bursts of a search to an ``Admission``, each request ``gap_s`` after the one before, its answer over after some
    time."""

    def __init__(self, quota: Quota, seed: int, gap_s: float = 0.005, ttft_s: float = 0.4, tpot_s: float = 0.01) -> None:
        self.now = 1_000_000.0 + Random(seed).uniform(0, 60)
        self.began = self.now
        self._admission = Admission(quota, lambda: self.now)
        self._random = Random(f"{seed}/latency")
        self._gap_s, self._ttft_s, self._tpot_s = gap_s, ttft_s, tpot_s
        self._open: list[tuple[float, Ticket, int]] = []
        self._last = self.now - MINUTE_S

    @property
    def elapsed_s(self) -> float:
        """Seconds since the search began, on the service's clock."""
        return self.now - self.began

    def burst(self, burst: Burst) -> Sequence[Seen]:
        """Everything that was seen of one burst."""
        if burst.settled:
            self._advance(max([self.now, *(end for end, _, _ in self._open)]) + 0.1)
        self._advance(max(self.now, self._last + burst.quiet_s))
        if burst.at is not None:
            self._advance(self.now + (burst.at - self.now) % MINUTE_S)
        seen = []
        prompt, most, left = burst.prompt_tokens, burst.max_tokens, None
        for _ in range(burst.limit + burst.shrink):
            seen.append(self._send(prompt, most, min(most, burst.output_tokens)))
            if left is None and seen[-1].word is not None:
                left = burst.shrink
            if left is None and len(seen) >= burst.limit:
                break
            if left is not None:
                if left == 0:
                    break
                left -= 1
                prompt, most = max(1, prompt // 2), max(1, most // 2)
        self._last = self.now
        return seen

    def _send(self, prompt: int, most: int, output: int) -> Seen:
        self._advance(self.now + self._gap_s * self._random.uniform(0.5, 1.5))
        at = self.now
        try:
            ticket = self._admission.admit(prompt, most)
        except ServiceError as error:
            return Seen(at=at, ended_at=at, input_tokens=prompt, max_tokens=most, output_tokens=0, word=WORDS[error.message])
        ended = at + self._ttft_s * self._random.lognormvariate(0, 0.2) + output * self._tpot_s
        self._open.append((ended, ticket, output))
        return Seen(at=at, ended_at=ended, input_tokens=prompt, max_tokens=most, output_tokens=output)

    def _advance(self, until: float) -> None:
        for end, ticket, output in sorted((each for each in self._open if each[0] <= until), key=lambda each: each[0]):
            self.now = max(self.now, end)
            self._admission.settle(ticket, output)
        self._open = [each for each in self._open if each[0] > until]
        self.now = max(self.now, until)
