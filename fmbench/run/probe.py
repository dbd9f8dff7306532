"""``check --probe``: a request of a few tokens to each model, and where it is turned down one a parameter, to tell which.

What an answer shows beside that: whether the model thinks unasked, and the tier, latency mode and prompt cache as served.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmbench.config.schema import Config, Inference, Model
from fmbench.core.failures import FailureKind, UnusableInput
from fmbench.core.preflight import Found, Verdict
from fmbench.core.records import Exchange, Prompt

if TYPE_CHECKING:
    from fmbench.bedrock.caller import Endpoint

NAME = "probe"
PROBE_TOKENS = 16
CACHED_WORDS = 5000
"""A prompt that any model that caches does cache: the most that one asks for is 4,096 tokens."""
PARAMETERS = tuple(name for name in Inference.model_fields if name != "max_tokens")


def probes(config: Config) -> Iterator[Found]:
    """What each model answers, where the run's requests would go."""
    from fmbench.bedrock.caller import Endpoint

    if config.simulator is None:
        yield from (_probe(config, model, Endpoint()) for model in config.models)
        return
    from fmbench.simulator import start

    with start(config.simulator) as running:
        yield from [_probe(config, model, Endpoint(running.url, running.ca_bundle)) for model in config.models]


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asks one model with some of the parameters of its requests."""

    config: Config
    model: Model
    endpoint: Endpoint

    def ask(
        self, parameters: tuple[str, ...] = PARAMETERS, text: str = "Say yes.", cached: bool = False, times: int = 1
    ) -> Exchange:
        """The last of so many requests with ``parameters`` alone. Thinking that was asked for needs all of its tokens."""
        from fmbench.bedrock.caller import Caller

        asked = self.model.asked(self.config.inference)
        kept = {name: value for name in parameters if (value := getattr(asked, name)) is not None}
        most = PROBE_TOKENS if kept.get("thinking") in (None, "off") else asked.max_tokens
        model = self.model.model_copy(update={"inference": Inference(max_tokens=most, **kept)})
        points = self.config.cache_points(self.model) if cached else None
        region = self.model.region or self.config.region
        caller = Caller(model, Inference(), region, self.config.load.timeouts, 1, True, self.endpoint, points)
        prompt = Prompt(prompt_id="probe", text=text, tokens=4, dataset="", language="", shared=len(text) if cached else None)
        prepared = caller.prepare(prompt, salted=False)
        exchanges = [caller.call(prepared, None) for _ in range(times)]
        caller.close()
        return exchanges[-1]

    def turned_down(self) -> list[str]:
        """Which parameters of its requests the model turns down, each asked for alone; of those that need others, none."""
        asked = self.model.asked(self.config.inference)
        given = [name for name in PARAMETERS if getattr(asked, name) is not None]
        return [name for name in given if self._refuses((name,))]

    def _refuses(self, parameters: tuple[str, ...]) -> bool:
        try:
            return self.ask(parameters).failure == FailureKind.VALIDATION
        except UnusableInput:
            return True


def _probe(config: Config, model: Model, endpoint: Endpoint) -> Found:
    """One request with the configuration's parameters, and what it takes to explain its answer."""
    asking = _Asking(config, model, endpoint)
    exchange = asking.ask()
    if exchange.failure is not None:
        return _failed(model, exchange, asking.turned_down() if exchange.failure == FailureKind.VALIDATION else [])
    said, verdict = [f"answered with {exchange.usage.output_tokens} tokens"], Verdict.OK
    for remark in (_thought(exchange), _served(exchange), _cache(config, model, asking)):
        for words, grave in remark:
            said.append(words)
            verdict = Verdict.WARNING if grave else verdict
    return Found(check=NAME, about=model.name, verdict=verdict, what=", ".join(said))


def _failed(model: Model, exchange: Exchange, turned_down: list[str]) -> Found:
    what = f"{exchange.failure}: {exchange.message or 'no message'}"
    cure = "Leave out the parameter that the message names, or take the model out."
    if turned_down:
        names = ", ".join(turned_down)
        what = f"{what.rstrip('.')}; turned down, asked for alone: {names}"
        nulls = ", ".join(f"{name}: null" for name in turned_down)
        cure = f"Take them away for this model: inference: {{{nulls}}} under models."
    return Found(check=NAME, about=model.name, verdict=Verdict.FAILED, what=what, cure=cure)


Remarks = Iterator[tuple[str, bool]]
"""What to say, and whether it is worth a warning."""


def _thought(exchange: Exchange) -> Remarks:
    if exchange.first_text_ns is None:
        yield f"none of them text within {PROBE_TOKENS}: it thinks unasked, so give it more max_tokens", True


def _served(exchange: Exchange) -> Remarks:
    pairs = (
        ("tier", exchange.service_tier_asked, exchange.service_tier),
        ("latency", exchange.latency_mode_asked, exchange.latency_mode),
    )
    for what, asked, served in pairs:
        if served is not None:
            other = asked is not None and {asked, served} - {"default", "standard"} != set() and asked != served
            yield f"{what} {served}" + (f" where {asked} was asked for" if other else ""), other
        elif asked is not None:
            yield f"{what} not told ({asked} was asked for)", False


def _cache(config: Config, model: Model, asking: _Asking) -> Remarks:
    """A long prompt twice, where the configuration caches prompts."""
    if config.cache_points(model) is None:
        return
    exchange = asking.ask(text="Say yes. " + "and " * CACHED_WORDS, cached=True, times=2)
    read = exchange.usage.cache_read_tokens
    if exchange.failure is not None:
        yield f"a prompt with cache points was refused ({exchange.failure}: {exchange.message or 'no message'})", True
    elif not read:
        yield "a long prompt that was sent twice was not read from the cache", True
    else:
        yield f"{read:,} tokens of a long prompt read from the cache when it was sent again", False
