"""The search for a quota: bursts that tell, with the fewest minutes, how a service throttles and from how much on.

The caller sends what is asked for and gives back what it saw; nothing here waits or sends. After a minute of silence every kind
of window has its whole quota to give, so a burst until the first throttle measures it; a second one just behind the turn of the
clock's minute tells a window that starts with the minute from one that rolls.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from fmbench.core.quota.burst import Burst as Burst
from fmbench.core.quota.replay import MINUTE_S, TINY, Fit, Guess, Seen, Window, Word, fit_requests, fit_tokens

BURNDOWNS = (1.0, 5.0, 10.0, 15.0)
"""The weights of an output token that are known to occur."""
WINDOWS: tuple[Window, ...] = ("clock", "rolling", "bucket")
QUIET_S = MINUTE_S + 5
"""So long nothing is sent before a burst that has to find the whole quota."""
BEFORE_TURN_S = 12.0
"""The first of two bursts starts so long before the clock's minute turns."""
PARTS = 60
"""Into so many requests a burst divides the quota of tokens."""
ALIKE = 1.0
"""Where requests contradict the best explanation, one that so much more contradicts (1: a clear one) may be right, too."""
REPEATS = 2
"""What was not told the first time is asked once more, so often at most."""
HALVINGS = 7
"""After the first throttle, so many requests of half the size each come closer to the quota."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a search may send."""

    requests: int = 2000
    """In one burst."""
    tokens: int = 6_000_000
    """Of prompts, in one burst."""
    prompt_tokens: int = 60_000
    """The longest prompt."""
    max_tokens: int = 8192
    """The most that the model lets be reserved for an answer."""
    small_prompt: int = 20

    def burst(
        self, prompt_tokens: int, max_tokens: int, at: float | None, shrink: int = HALVINGS, settled: bool = False
    ) -> Burst:
        """As many requests of a size as a burst may have, after a minute of silence unless ``at`` is None."""
        limit = max(1, min(self.requests, self.tokens // prompt_tokens))
        quiet_s = 0.0 if at is None else QUIET_S
        sizes = {"prompt_tokens": prompt_tokens, "max_tokens": max_tokens, "output_tokens": 1}
        return Burst(**sizes, limit=limit, at=at, quiet_s=quiet_s, shrink=shrink, settled=settled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """From how much a minute on requests are throttled: the interval holds every size that the log does not contradict."""

    of: Word
    per_minute: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the search found. None: not told by what was seen (no throttle, or nothing that tells one from the other)."""

    requests: Onset | None
    tokens: Onset | None
    daily: bool
    """Whether a daily quota throttled."""
    window: Literal["rolling", "clock"] | None
    reserves: bool | None
    burndown: float | None
    contradicted: int
    """How many requests say no to the best explanation: above 0, the quota was shared or works otherwise."""
    sent: int
    most_requests: float
    """The most requests a minute, and tokens a minute, that were let through: without a throttle, the quota is above."""
    most_tokens: float


T = TypeVar("T")
Search = Generator[Burst, Sequence[Seen], Finding]


@dataclass(slots=True)
class _Log:
    seen: list[Seen] = field(default_factory=list)

    def add(self, part: Sequence[Seen]) -> Sequence[Seen]:
        self.seen.extend(sorted(part, key=lambda each: each.at))
        return part

    def throttled(self, word: Word) -> bool:
        return any(seen.word == word for seen in self.seen)


def search(limits: Limits) -> Search:
    """A generator of bursts; ``send`` it what was seen of each. Its value is the finding."""
    log = _Log()
    yield from _requests(log, limits)
    yield from _tokens(log, limits)
    if log.throttled("tokens"):
        yield from _again(log, limits)
        yield from _burndown(log, limits)
        for _ in range(REPEATS):
            found = conclude(log.seen)
            if found.reserves is None or found.window is None:
                yield from _again(log, limits)
            elif found.burndown is None:
                yield from _burndown(log, limits)
    return conclude(log.seen)


def resumed(limits: Limits, told: Sequence[Sequence[Seen]]) -> tuple[Search, Burst, int]:
    """A search as far as what was seen of its first bursts brings it, the burst that is due, and which it is, from 0.

    A burst that tells something only right after the one before, is due with that one again: that was long ago.
    """
    for known in range(len(told), 0, -1):
        bursts = search(limits)
        burst = next(bursts)
        try:
            for part in told[:known]:
                burst = bursts.send(part)
        except StopIteration:
            continue
        if burst.quiet_s:
            return bursts, burst, known
    bursts = search(limits)
    return bursts, next(bursts), 0


def _word(part: Sequence[Seen]) -> Word | None:
    return next((seen.word for seen in part if seen.word is not None), None)


def _requests(log: _Log, limits: Limits) -> Generator[Burst, Sequence[Seen], None]:
    """Small requests: what throttles them is the quota of requests, if there is one. Where it is, the same just behind the turn
    of the minute tells its window."""
    burst = limits.burst(limits.small_prompt, 1, MINUTE_S - BEFORE_TURN_S, shrink=0)
    if _word(log.add((yield burst))) is not None:
        log.add((yield replace(burst, at=2.0, quiet_s=0.0)))


def _tokens(log: _Log, limits: Limits) -> Generator[Burst, Sequence[Seen], None]:
    """Large requests until tokens are throttled: large by ``max_tokens``, which costs nothing; else by long prompts, as long as
    the requests that are let through may bring together."""
    word = _word(log.add((yield limits.burst(limits.small_prompt, limits.max_tokens, 3.0))))
    if word not in ("tokens", "daily"):
        found = conclude(log.seen)
        requests = limits.requests if found.requests is None else found.requests.per_minute
        size = max(1, min(limits.prompt_tokens, int(limits.tokens / max(1.0, requests))))
        log.add((yield limits.burst(size, 1, 3.0)))


def _again(log: _Log, limits: Limits) -> Generator[Burst, Sequence[Seen], None]:
    """The quota of tokens once more, in requests of a fitting size, half of it ``max_tokens`` that stay unused: whether they
    count, and what the turn of the minute gives back of the prompts."""
    half = max(1, _fitting(log, limits) // 2)
    burst = limits.burst(half, min(half, limits.max_tokens), MINUTE_S - BEFORE_TURN_S)
    log.add((yield burst))
    log.add((yield replace(burst, at=2.0, quiet_s=0.0)))


def _burndown(log: _Log, limits: Limits) -> Generator[Burst, Sequence[Seen], None]:
    """Some long answers, and when they are over, how much is left in the same minute."""
    found = conclude(log.seen)
    answers = 20 if found.requests is None else max(1, min(20, int(found.requests.per_minute / 3)))
    length = max(1, min(limits.max_tokens, int(_tokens_a_minute(found) / 30 / answers)))
    small = limits.burst(limits.small_prompt, length, 3.0, shrink=0)
    log.add((yield replace(small, output_tokens=length, limit=answers)))
    log.add((yield limits.burst(_fitting(log, limits), 1, None, settled=True)))


def _fitting(log: _Log, limits: Limits) -> int:
    """A prompt's length of which the quota of tokens holds ``PARTS``, or as many as the quota of requests lets through."""
    found = conclude(log.seen)
    parts = PARTS if found.requests is None else max(1, min(PARTS, int(found.requests.per_minute / 2)))
    return max(1, min(limits.prompt_tokens, int(_tokens_a_minute(found) / parts)))


def _tokens_a_minute(found: Finding) -> float:
    return found.most_tokens if found.tokens is None else found.tokens.per_minute


def conclude(log: Sequence[Seen]) -> Finding:
    """What a log of requests, in their order, says."""
    by_requests = {window: fit_requests(log, window) for window in WINDOWS}
    guesses = [Guess(window=w, reserves=r, burndown=b) for w in WINDOWS for r in (True, False) for b in BURNDOWNS]
    by_tokens = fit_tokens(log, guesses)
    against = {guess: fit.against + by_requests[guess.window].against for guess, fit in by_tokens.items()}
    least = min(against.values())
    best = [guess for guess in guesses if against[guess] <= least + min(least, ALIKE) + TINY]
    tokens = any(seen.word == "tokens" for seen in log)
    return Finding(
        requests=_onset("requests", log, [by_requests[guess.window] for guess in best]),
        tokens=_onset("tokens", log, [by_tokens[guess] for guess in best]),
        daily=any(seen.word == "daily" for seen in log),
        window=_window(best),
        reserves=_only({guess.reserves for guess in best}) if tokens else None,
        burndown=_only({guess.burndown for guess in best}) if tokens else None,
        contradicted=round(least),
        sent=len(log),
        most_requests=max((fit.low for fit in by_requests.values()), default=0.0),
        most_tokens=max((by_tokens[guess].low for guess in best), default=0.0),
    )


def _window(best: Sequence[Guess]) -> Literal["rolling", "clock"] | None:
    found = {guess.window for guess in best}
    if found == {"clock"}:
        return "clock"
    return None if "clock" in found else "rolling"


def _only(values: set[T]) -> T | None:
    return values.pop() if len(values) == 1 else None


def _onset(word: Word, log: Sequence[Seen], fits: Sequence[Fit]) -> Onset | None:
    """The sizes that any of the best guesses lets stand."""
    if not any(seen.word == word for seen in log):
        return None
    best = min(fits, key=lambda fit: (fit.against, fit.high - fit.low))
    return Onset(of=word, per_minute=best.size, low=min(fit.low for fit in fits), high=max(fit.high for fit in fits))
