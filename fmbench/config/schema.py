"""The configuration's sections and keys, with their defaults and bounds (docs/configuration.md explains each)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from fmbench.config.base import Strict, distinct, one_of
from fmbench.config.model import MOST_TOKENS, Caching, with_routes
from fmbench.config.model import CachePoints as CachePoints
from fmbench.config.model import Inference as Inference
from fmbench.config.model import Model as Model
from fmbench.config.objectives import Objectives, Seconds, Share
from fmbench.config.rates import Rate, RatePerMin, ThinkTime, Thought
from fmbench.config.retry import Retry
from fmbench.core.arrivals import GAPS
from fmbench.core.registry import names_in
from fmbench.simulator.behaviour import Simulator

SourceName = Annotated[str, one_of(names_in("prompts/sources"))]
Users = Annotated[int, Field(ge=1, le=100_000)]
USUAL_LEVELS = [1, 2, 4, 8]
LONGEST_PROMPT = 10_000_000
"""Tokens: as long as the longest context that a model has."""
MOST_USD = 1e9
MOST_REQUESTS = 10_000_000_000

_BUCKET = re.compile(r"(\d+)-(\d+)")


def _bucket(text: str) -> str:
    match = _BUCKET.fullmatch(text)
    if match is None or len(text) > 40 or int(match[1]) >= int(match[2]):
        raise ValueError('is no bucket: write "<min>-<max>" in prompt tokens with min < max, such as "500-1000"')
    if int(match[2]) > LONGEST_PROMPT:
        raise ValueError(f"is longer than any prompt: no model takes more than {LONGEST_PROMPT:,} tokens")
    return text


def range_of(bucket: str) -> tuple[int, int]:
    """The tokens of a bucket: from the first number on, and less than the second one."""
    low, high = bucket.split("-")
    return int(low), int(high)


def _distinct_ranges(buckets: list[str]) -> list[str]:
    distinct([range_of(bucket) for bucket in buckets])  # 0100-200 is 100-200
    return buckets


Bucket = Annotated[str, AfterValidator(_bucket)]
Language = Annotated[str, Field(pattern=r"^[^\W_][\w.+#-]{0,30}$")]
"""A part of a bucket's name, and so of a file's."""


class Columns(Strict):
    """Which columns of a foreign dataset play the parts of a LongBench row."""

    input: str | None = None
    context: str | None = None
    answers: str | None = None
    language: str | None = None
    dataset: str | None = None
    id: str | None = None


class Dataset(Strict):
    """Where prompts come from, and which are kept."""

    source: SourceName = "synthetic"
    name: str | None = Field(default=None, min_length=1)
    path: str | None = None
    """A folder of *.jsonl, a file, a data.zip, or the address of one in a store; None: fetched from the hub."""
    repo: str | None = None
    """The hub's dataset for ``huggingface`` (or another LongBench copy for ``longbench``)."""
    subset: str | None = None
    split: str | None = None
    revision: str | None = None
    tasks: Annotated[list[str], Field(max_length=1000), AfterValidator(distinct)] | None = None
    languages: Annotated[list[Language], Field(min_length=1, max_length=200), AfterValidator(distinct)] = Field(default=["en"])
    buckets: Annotated[list[Bucket], Field(min_length=1, max_length=1000), AfterValidator(_distinct_ranges)] = Field(
        default=["1-500", "500-1000", "1000-2000", "2000-3000", "3000-4000"]
    )
    prompts_per_bucket: int = Field(default=50, ge=1, le=1_000_000)
    columns: Columns = Columns()
    template: str | dict[str, str] | None = None
    """A prompt template with {context} and {input}: one for all tasks, or one a task."""
    template_file: str | None = None
    """The dataset's own dataset2prompt.json."""


class Timeouts(Strict):
    """Deadlines of our own for each phase of a request."""

    connect_s: Seconds = 5.0
    first_byte_s: Seconds = 120.0
    between_bytes_s: Seconds = 60.0
    total_s: Seconds = 600.0


class LimitSearch(Strict):
    """Find the highest level that meets all objectives, between two levels; or from where on a quota throttles."""

    of: Literal["users", "rate", "quota"] = "users"
    start: RatePerMin = Field(default=1, alias="from")
    end: RatePerMin | None = Field(default=None, alias="to")
    """None: of a quota there are no levels."""
    tolerance: float = Field(default=0.1, gt=0, le=1)
    """How far the limit may be off, as a share of it."""
    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    most_requests: int = Field(default=4000, ge=100, le=100_000_000)
    """At one level: what is not shown by then is too near the limit to tell."""

    minute_s: float = Field(default=60.0, ge=1, le=60)
    """How long a minute of the quota lasts: shorter against a simulator whose own minute is (``quota.minute_s``)."""

    @model_validator(mode="after")
    def _ordered(self) -> LimitSearch:
        if self.of == "quota":
            if self.end is not None or self.start != 1:
                raise ValueError("of quota has no levels: leave out from and to")
            return self
        if self.end is None:
            raise ValueError("needs to: the highest level that is looked at")
        if self.start >= self.end:
            raise ValueError(f"goes from {self.start:g} to {self.end:g}: the first has to be below the second")
        if self.of == "users" and (self.start < 1 or self.end > 100_000 or self.start % 1 or self.end % 1):
            raise ValueError("of users goes between whole numbers from 1 to 100,000")
        return self


class Load(Strict):
    """How users, or requests, are stepped through the cells."""

    concurrency: Annotated[list[Users], Field(min_length=1, max_length=1000), AfterValidator(distinct)] = Field(
        default=USUAL_LEVELS
    )
    warmup_s: float = Field(default=5.0, ge=0, le=604_800)
    duration_s: Seconds = 30.0
    min_requests: int = Field(default=20, ge=0, le=100_000_000)
    max_duration_s: Seconds | None = None
    """The cap of a window extended to ``min_requests`` or until decided; None: ten times ``duration_s``."""
    spread_s: float | None = Field(default=None, ge=0, le=604_800)
    """Users of a step start spread over so long; None: over warmup_s, at most 1 s, or in the middle of a thought."""
    order: Literal["sequential", "interleaved"] | None = None
    """None: interleaved where a model has routes, else sequential."""
    repeats: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """None: twice where a model has routes, so that each goes first once; else once."""
    until: Literal["fixed", "decided"] = "fixed"
    rate_per_min: Rate | None = None
    """An open loop instead of users: requests begin by a plan, whatever the answers do."""
    arrivals: Annotated[str, one_of(tuple(GAPS))] = "poisson"
    arrivals_shape: float = Field(default=0.5, ge=0.001, le=1000)
    """How even ``gamma``'s gaps are: below 1 in bursts (0.001: of a thousand requests), above 1 more even than chance."""
    max_in_flight: Users | None = None
    """The most requests of an open loop in flight, over all workers; None: half a minute's at its peak, at most 2,000."""
    think_time_s: Thought | None = None
    """How long a user of a closed loop waits after an answer; None: not at all."""
    search: LimitSearch | None = None
    """Find the limit instead of measuring given levels."""
    stop_when_failing: bool = False
    """Levels above the first one that is shown not to meet the objectives are left out."""
    stay_under_quota: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Hold requests back so that they stay under such a share of the model's quota; None: nothing is held back."""
    retry: Retry | None = None
    """Try failed requests again; None: never, each failure is counted as it is."""
    timeouts: Timeouts = Timeouts()

    @property
    def mean_thought_s(self) -> float:
        """How long a user thinks in the mean, seconds."""
        return self.think_time_s.mean if isinstance(self.think_time_s, ThinkTime) else self.think_time_s or 0.0

    @model_validator(mode="after")
    def _one_kind_of_load(self) -> Load:
        if self.rate_per_min is not None and "concurrency" in self.model_fields_set and self.concurrency != USUAL_LEVELS:
            raise ValueError("has both concurrency and rate_per_min: a cell has so many users, or so many requests a minute")
        if self.search is not None and (self.rate_per_min is not None or self.concurrency != USUAL_LEVELS):
            raise ValueError("has both search and given levels: leave out concurrency and rate_per_min")
        if self.search is not None and self.search.of == "quota" and self.stay_under_quota is not None:
            raise ValueError("has both a search of quota and stay_under_quota: what stays under it does not find it")
        if self.search is not None and self.search.of == "quota" and self.retry is not None:
            raise ValueError("has both a search of quota and retry: a throttled request that is tried again hides the quota")
        if self.rate_per_min is not None and self.think_time_s:
            raise ValueError("has both rate_per_min and think_time_s: in an open loop nobody waits for an answer")
        return self


class Budget(Strict):
    """Hard limits: no request is sent that could pass them."""

    max_usd: float | None = Field(default=None, gt=0, le=MOST_USD)
    max_requests: int | None = Field(default=None, ge=1, le=MOST_REQUESTS)


class Traffic(Strict):
    """The traffic that a month's cost is for."""

    requests_per_day: float | None = Field(default=None, gt=0, le=1e12)
    per_hour: Annotated[list[Annotated[float, Field(ge=0, le=1e12)]], Field(min_length=24, max_length=24)] | None = None
    """Requests in each hour of a day, instead of ``requests_per_day``."""
    input_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)
    """None: as the requests of the run had them."""
    output_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)
    cached_share: Share = 0.0
    """Which share of the prompts' tokens would be read from a prompt cache."""
    capacity_usd_per_hour: dict[str, Annotated[float, Field(gt=0, le=MOST_USD)]] = Field(default={})
    """What provisioned or reserved capacity for a model (by its label or id) costs an hour."""

    @model_validator(mode="after")
    def _some_traffic(self) -> Traffic:
        if self.per_hour is not None and self.requests_per_day is not None:
            raise ValueError("has both requests_per_day and per_hour: keep one of them")
        if self.per_hour is not None and not any(self.per_hour):
            raise ValueError("has no request in any hour of per_hour: give some, or leave traffic out")
        return self


class QuotaSizes(Strict):
    """A model's quotas in the account, over what Service Quotas says."""

    tpm: float | None = Field(default=None, ge=0, le=1e15)
    rpm: float | None = Field(default=None, ge=0, le=1e15)
    tpd: float | None = Field(default=None, ge=0, le=1e15)
    burndown: float | None = Field(default=None, ge=1, le=1000)
    """How many tokens of the quota an output token takes; None: by a table of models."""


class TokenRates(Strict):
    """USD for a million tokens."""

    input: float = Field(ge=0, le=MOST_USD)
    output: float = Field(ge=0, le=MOST_USD)
    cache_read: float | None = Field(default=None, ge=0, le=MOST_USD)
    cache_write: float | None = Field(default=None, ge=0, le=MOST_USD)
    """Of a write that is kept for five minutes."""
    cache_write_1h: float | None = Field(default=None, ge=0, le=MOST_USD)


class PriceCase(TokenRates):
    """Rates that hold instead where everything that is named is the case."""

    region: str | None = None
    tier: Literal["default", "priority", "flex", "reserved", "batch"] | None = None
    latency: Literal["standard", "optimized"] | None = None
    above_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)
    """Prompts of more tokens, cached ones included, pay these rates for the whole request."""


class Price(TokenRates):
    """A model's rates, and the cases in which others hold: of those that fit, the last one."""

    cases: list[PriceCase] = Field(default=[], max_length=1000)


class Config(Strict):
    """A whole configuration file. ``models`` alone has no default."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")] = "fmbench"
    region: str | None = None
    seed: int = Field(default=7, ge=0, lt=2**63)
    output: str = Field(default="results", min_length=1)
    models: Annotated[list[Model], AfterValidator(with_routes)] = Field(min_length=1, max_length=1000)
    """Each route of a model is one of its own here."""
    inference: Inference = Inference()
    dataset: Dataset = Dataset()
    load: Load = Load()
    objectives: Objectives = Objectives()
    budget: Budget = Budget()
    pricing: dict[str, Price] = Field(default={})
    traffic: Traffic = Traffic()
    quota: dict[str, QuotaSizes] = Field(default={})
    """By a model's label or id."""
    cache: Caching = "salt"
    """``salt``: every request's prompt starts with words of its own, so that no prompt cache can answer it."""
    quality: bool = False
    cloudwatch: bool = False
    """Whether CloudWatch is asked, after the last request, what it saw of the run's minutes."""
    simulator: Simulator | None = None

    @property
    def interleaved(self) -> bool:
        """Whether models take turns at each bucket and level."""
        return self.has_routes if self.load.order is None else self.load.order == "interleaved"

    @property
    def repeats(self) -> int:
        """How many times all cells are passed over; a search comes back to a level by itself."""
        return 1 if self.load.search is not None else self.load.repeats or (2 if self.has_routes else 1)

    @property
    def has_routes(self) -> bool:
        """Whether any model is a route, to be held against others of it."""
        return any(model.route is not None for model in self.models)

    def salted(self, model: Model) -> bool:
        """Whether prompts to ``model`` start with words of their own: each, or those of a route together."""
        cache = self.cache if model.cache is None else model.cache
        return cache == "salt" or self.salted_alike(model) or (isinstance(cache, CachePoints) and cache.mode != "hit")

    def salted_alike(self, model: Model) -> bool:
        """Whether all prompts to ``model`` start with the same words, which are its own: a route reads from the cache what it
        wrote there itself, not what another route to the model did."""
        points = self.cache_points(model)
        return model.route is not None and points is not None and points.mode == "hit"

    def may_read_cache(self, model: Model) -> bool:
        """Whether requests to ``model`` may be answered from a prompt cache: theirs is allowed, or set on purpose."""
        cache = self.cache if model.cache is None else model.cache
        return cache == "allow" or self.cache_points(model) is not None

    def cache_points(self, model: Model) -> CachePoints | None:
        """The points that requests to ``model`` set; None: they set none."""
        cache = self.cache if model.cache is None else model.cache
        return cache if isinstance(cache, CachePoints) and cache.placed else None
