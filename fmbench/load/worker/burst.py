"""A burst of a search for a quota: requests one after the other, whatever the answers do, until one is throttled."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from gevent.lock import BoundedSemaphore

from fmbench.core.failures import FailureKind
from fmbench.core.quota.burst import SHORT, Burst, Seen
from fmbench.core.records import Exchange
from fmbench.load.worker.prepared import CellRequests
from fmbench.load.worker.sending import Sender

GAP_S = 0.005
"""Between two requests, over all load processes."""
WORDS = {
    FailureKind.THROTTLED_REQUESTS: "requests",
    FailureKind.THROTTLED_TOKENS: "tokens",
    FailureKind.THROTTLED_DAILY: "daily",
}


@dataclass(slots=True)
class _Sent:
    """One request that is over: its size, and what became of it."""

    size: int
    exchange: Exchange
    max_tokens: int


@dataclass(slots=True)
class Volley:
    """This process's part of a burst. ``sizes``: the requests of the burst's size, then of half of it, and so on."""

    burst: Burst
    sizes: list[CellRequests]
    share: float
    """Of all users, how many this process carries."""
    taken: int = 0
    shrunk: int | None = None
    """How many requests went out since one was throttled; None: none was."""
    sent: list[_Sent] = field(default_factory=list)
    turn: BoundedSemaphore = field(default_factory=BoundedSemaphore)

    def take(self) -> int | None:
        """The size of the request that is due now; None: there are no more."""
        if self.shrunk is not None:
            if self.shrunk >= self.burst.shrink:
                return None
            self.shrunk += 1
        elif self.taken >= math.ceil(self.burst.limit * self.share):
            return None
        self.taken += 1
        return self.shrunk or 0

    def saw(self, size: int, exchange: Exchange) -> None:
        """A request of a size is over."""
        self.sent.append(_Sent(size, exchange, self.sizes[size].max_tokens))
        if self.shrunk is None and exchange.failure in WORDS:
            self.shrunk = 0

    def seen(self, epoch_offset_ns: int) -> list[Seen]:
        """The log of it, without requests of which it is not known whether they were admitted."""
        known = {each.size: _tokens(each.exchange) for each in self.sent if _tokens(each.exchange) is not None}
        return [
            Seen(
                at=(_decided_ns(each.exchange) + epoch_offset_ns) / 1e9,
                ended_at=(_over_ns(each.exchange) + epoch_offset_ns) / 1e9,
                input_tokens=self._tokens_of(each.size, known),
                max_tokens=each.max_tokens,
                output_tokens=each.exchange.usage.output_tokens or 0,
                word=None if each.exchange.failure is None else WORDS[each.exchange.failure],
            )
            for each in self.sent
            if each.exchange.sent_ns is not None and (each.exchange.failure is None or each.exchange.failure in WORDS)
        ]

    def _tokens_of(self, size: int, known: dict[int, int | None]) -> int:
        """A prompt's tokens as the service counts them; of a size that was never let through, by the nearest that was."""
        own = self.sizes[size].prompts[0].tokens
        if not known:
            return own
        nearest = min(known, key=lambda other: abs(other - size))
        return max(1, (known[nearest] or 0) + own - self.sizes[nearest].prompts[0].tokens)


def _decided_ns(exchange: Exchange) -> int:
    """When the service decided: a request may pass others on its way, so that a refusal is placed where it was heard, after all
    that may have been let through before it."""
    return exchange.ended_ns if exchange.failure is not None or exchange.sent_ns is None else exchange.sent_ns


def _over_ns(exchange: Exchange) -> int:
    """When the service was through with it, as ``core.quota.found`` has it."""
    tokens, first = exchange.usage.output_tokens, exchange.first_content_ns
    return exchange.ended_ns if tokens is None or tokens > SHORT or first is None else first


def _tokens(exchange: Exchange) -> int | None:
    """The whole prompt of a request that was let through."""
    usage = exchange.usage
    if exchange.failure is not None or usage.input_tokens is None:
        return None
    return usage.input_tokens + (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)


def send_burst(sender: Sender, volley: Volley) -> None:
    """Send this user's requests of a burst, each at its moment."""
    step = sender.step
    while True:
        with volley.turn:  # one user at a time waits for the next moment: when it comes, all that was seen by then counts
            due_ns = step.opened_ns + round(volley.taken * GAP_S / volley.share * 1e9)
            size = volley.take() if sender.wait_until(due_ns) else None
        if size is None:
            return
        sender.requests = volley.sizes[size]
        exchange = sender.send(0, due_ns)
        if exchange is None:
            return
        volley.saw(size, exchange)
