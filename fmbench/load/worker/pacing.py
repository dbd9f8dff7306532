"""``load.stay_under_quota``: requests wait their turn, in their order, until the quota has room for them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from gevent.lock import BoundedSemaphore

from fmbench.core.quota.pacing import Pacer
from fmbench.core.quota.tokens import Quota
from fmbench.core.records import Exchange
from fmbench.load.worker.step import Step

HELD_S = 0.001
"""A request that goes out sooner was not held back."""


@dataclass(slots=True)
class Pacing:
    """One model's requests of this process. The quota is shared among processes by the users that each carries."""

    pacer: Pacer
    turn: BoundedSemaphore = field(default_factory=BoundedSemaphore)

    def hold(self, step: Step, prompt_tokens: int, max_tokens: int) -> float | None:
        """Wait until a request may go, and take its place. Returns the seconds that it waited; None: the step is over."""
        began = time.monotonic()
        with self.turn:
            tokens = self.pacer.reserved(prompt_tokens, max_tokens)
            while (wait_s := self.pacer.wait_s(time.monotonic(), tokens)) > 0:
                if step.closed.wait(wait_s):
                    return None
            if step.over:
                return None
            self.pacer.take(tokens)
        waited_s = time.monotonic() - began
        return waited_s if waited_s >= HELD_S else 0.0

    def settle(self, exchange: Exchange, prompt_tokens: int, max_tokens: int) -> None:
        """The request is over."""
        usage = exchange.usage
        read = usage.cache_read_tokens or 0
        whole = None if usage.input_tokens is None else usage.input_tokens + read + (usage.cache_write_tokens or 0)
        self.pacer.settle(prompt_tokens + max_tokens, prompt_tokens, whole, read, usage.output_tokens)


def pacing_of(quota: Quota, share: float, part: float) -> Pacing:
    """The pacing of a process that carries ``part`` of a cell's users."""
    rpm, tpm = (None if size is None else size * part for size in (quota.rpm, quota.tpm))
    return Pacing(Pacer(rpm, tpm, quota.burndown, share))
