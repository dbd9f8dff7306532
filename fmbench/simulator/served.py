"""A served model: slots, a batch that slows down as it fills, answers drawn from a seed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import exp
from random import Random

from fmbench.core.model_facts import Facts, facts_of
from fmbench.core.turned_down import Asks, turned_down
from fmbench.simulator import errors
from fmbench.simulator.answers import asked_length, tokens_to_say
from fmbench.simulator.asks import Ask
from fmbench.simulator.behaviour import Profile
from fmbench.simulator.cache import Cached, PointCache, PromptCache
from fmbench.simulator.faults import FaultPlan
from fmbench.simulator.generation import Generation
from fmbench.simulator.quota import Admission
from fmbench.simulator.text import filler, tokens_of


@dataclass(slots=True)
class Pace:
    """How fast one answer comes, nanoseconds: until the first token, and for each event alone in the batch."""

    first_ns: int
    event_ns: float


class ServedModel:
    """One model of the endpoint, by its profile. ``slowdown`` is what the streams in flight make of the time per token."""

    def __init__(self, model_id: str, profile: Profile, seed: int) -> None:
        self.profile = profile
        self.admission = Admission(profile.quota)
        self.slowdown = 1.0
        self._model_id = model_id
        self._faults = FaultPlan(profile.faults, f"{seed}/{model_id}")
        self._pace = Random(f"{seed}/{model_id}/pace")
        self._words = Random(f"{seed}/{model_id}/words")
        self._cache = _cache_of(profile)
        self._facts = facts_of(model_id) if profile.rejects is None else Facts(pattern="", turns_down=tuple(profile.rejects))
        self._requests = 0
        self._in_flight = 0
        self._queue: deque[Callable[[], None]] = deque()
        self.draw_fault = self._faults.draw

    def number(self) -> int:
        """The number of the request that has just come, from 1."""
        self._requests += 1
        return self._requests

    def limit(self, ask: Ask) -> int:
        """The most tokens that an answer to ``ask`` may have."""
        most = self.profile.max_output_tokens
        return most if ask.max_tokens is None else min(ask.max_tokens, most)

    def generate(self, ask: Ask, request_id: str) -> Generation:
        """The answer to ``ask``. The k-th answer of a model is the same in every run of the same seed."""
        cached = None if self._cache is None else self._cache(ask)
        thinking, limit = self._thinking(ask), self.limit(ask)
        asked = asked_length(ask.text)
        wanted = self._length(thinking) if asked is None else thinking + asked
        given = min(wanted, limit)
        thought = filler(min(thinking, given), self._words)
        generation = Generation(
            model_id=self._model_id,
            request_id=request_id,
            thought=thought,
            said=tokens_to_say(ask.text, given - len(thought), self.profile.accuracy, self._words),
            stop_reason="max_tokens" if wanted >= limit else "end_turn",
            input_tokens=ask.tokens - (0 if cached is None else cached.read + cached.written),
            cache_read_tokens=None if cached is None else cached.read,
            cache_write_tokens=None if cached is None else cached.written,
            cache_write_1h_tokens=0 if cached is None else cached.written_1h,
            invoked_model=self.profile.routes_to,
            latency=self.profile.served_latency or ask.latency,
            tier=self.profile.served_tier or ask.tier,
            tokens_per_event=self.profile.tokens_per_event,
        )
        _stop_at(generation, ask.stop_sequences)
        return generation

    def check(self, ask: Ask, operation: str = "") -> None:
        """Raises ``ServiceError`` for a parameter that the model turns down."""
        for found in turned_down(self._facts, Asks(given=ask.given, effort=ask.effort, api=operation)):
            field = " ".join(filter(None, (f"the {found.name} field", found.why)))
            raise errors.validation(f"This model doesn't support {field}. Remove {found.name} and try again.")

    def _thinking(self, ask: Ask) -> int:
        """Tokens of reasoning."""
        thinks = self.profile.thinks
        silent = (thinks == "unasked" and ask.thinking == "off") or (thinks == "asked" and ask.thinking != "on")
        return 0 if silent else self.profile.reasoning_tokens

    def pace(self, generation: Generation) -> Pace:
        """How fast ``generation`` is to come; tokens read from the cache need no prefill."""
        profile = self.profile
        first_s = profile.ttft_s
        if profile.prefill_tokens_per_s:
            first_s += (generation.prompt_tokens - (generation.cache_read_tokens or 0)) / profile.prefill_tokens_per_s
        speed = profile.speeds.get(generation.tier or "", 1.0) * profile.speeds.get(generation.latency or "", 1.0)
        first = first_s / speed * self._noise()
        return Pace(round(first * 1e9), profile.tpot_s / speed * profile.tokens_per_event * self._noise() * 1e9)

    def enter(self, begin: Callable[[], None]) -> None:
        """Call ``begin`` as soon as there is a slot: now, or when others have left."""
        if self.profile.slots is not None and self._in_flight >= self.profile.slots:
            self._queue.append(begin)
            return
        self._change(+1)
        begin()

    def leave(self) -> None:
        """An answer is over: its slot goes to the next in the queue."""
        self._change(-1)
        if self._queue:
            self._change(+1)
            self._queue.popleft()()

    def _change(self, streams: int) -> None:
        self._in_flight += streams
        if self.profile.batch is not None:
            self.slowdown = 1.0 + self._in_flight / self.profile.batch

    def _noise(self) -> float:
        jitter = self.profile.jitter
        return exp(self._pace.gauss(0.0, jitter)) if jitter else 1.0

    def _length(self, thinking: int) -> int:
        mean = self.profile.output_tokens
        if mean is None:
            return self.profile.max_output_tokens
        return thinking + self._words.randint(mean - mean // 2, mean + mean // 2)


def _cache_of(profile: Profile) -> Callable[[Ask], Cached] | None:
    """What the model's cache does for a request; None: it has none."""
    if not profile.cache:
        return None
    if profile.cache == "points":
        points = PointCache(profile.cache_min_tokens)
        return lambda ask: points.serve(ask.whole_prompt, ask.points)
    blocks = PromptCache()
    return lambda ask: blocks.serve(ask.whole_prompt)


def _stop_at(generation: Generation, stop_sequences: list[str]) -> None:
    """End the answer before the first stop sequence in its text."""
    found = [(place, stop) for stop in stop_sequences if stop and (place := generation.text.find(stop)) >= 0]
    if not found:
        return
    place, stop = min(found)
    generation.said = tokens_of(generation.text[:place])
    generation.stop_reason = "stop_sequence"
    generation.stop_sequence = stop
