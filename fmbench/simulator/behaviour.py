"""What may be written under ``simulator:``: how the simulator behaves, and what it does wrong on purpose."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fmbench.config.base import Strict

MOST = 1_000_000_000_000
LONGEST_S = 604_800

FaultKind = Literal[
    "throttle_requests",
    "throttle_tokens",
    "throttle_daily",
    "throttle_in_stream",
    "service_quota",
    "access_denied",
    "expired_credentials",
    "not_found",
    "validation",
    "model_timeout",
    "model_not_ready",
    "model_error",
    "model_stream_error",
    "internal",
    "internal_in_stream",
    "service_unavailable",
    "unavailable_in_stream",
    "validation_in_stream",
    "reset_before_response",
    "close_before_response",
    "reset_in_stream",
    "early_end",
    "cut_frame",
    "bad_crc",
    "stall_before_response",
    "stall_in_stream",
    "drip",
    "no_metadata",
    "no_message_stop",
    "html_error",
    "html_ok",
    "wrong_content_type",
    "guardrail",
]


class Fault(Strict):
    """Something the endpoint does wrong: to a share of the requests (``rate``), or to the n-th ones (``at``, from 1)."""

    kind: FaultKind
    rate: float | None = Field(default=None, ge=0, le=1)
    at: Annotated[list[Annotated[int, Field(ge=1, le=MOST)]], Field(min_length=1, max_length=10_000)] | None = None
    after_events: int = Field(default=5, ge=0, le=MOST)
    """In-stream faults strike after so many content events."""
    seconds: float = Field(default=5.0, gt=0, le=LONGEST_S)
    """How long a stall lasts, or the time between two dripped bytes."""

    @model_validator(mode="after")
    def _rate_or_at(self) -> Self:
        if (self.rate is None) == (self.at is None):
            raise ValueError("a fault takes either rate (a share of the requests) or at (which requests, from 1)")
        return self


class Quota(Strict):
    """What is let through in a minute: requests over it are throttled as Bedrock throttles them."""

    requests_per_minute: int | None = Field(default=None, ge=1, le=MOST)
    tokens_per_minute: int | None = Field(default=None, ge=1, le=MOST)
    tokens_per_day: int | None = Field(default=None, ge=0, le=MOST)
    reserves_max_tokens: bool = True
    """Whether admission counts ``max_tokens``; what was not generated is given back at the end."""
    burndown: float = Field(default=1.0, ge=1, le=1000)
    """How many tokens of the quota an output token takes."""
    window: Literal["bucket", "rolling", "clock"] = "bucket"
    """A bucket that fills evenly, the minute that ends now, or the clock's minute."""
    minute_s: float = Field(default=60.0, gt=0, le=LONGEST_S)
    """How long the quota's minute lasts, for trials that cannot wait."""


class Profile(Strict):
    """How a served model behaves.

    TTFT = ``ttft_s`` + prompt tokens / ``prefill_tokens_per_s``;
    time per token = ``tpot_s`` × (1 + streams in flight / ``batch``).
    Both are drawn log-normally around that with sigma ``jitter``. More than ``slots`` streams queue.
    """

    ttft_s: float = Field(default=0.2, ge=0, le=LONGEST_S)
    prefill_tokens_per_s: float | None = Field(default=None, gt=0, le=1e12)
    """None: the prompt's length costs nothing."""
    tpot_s: float = Field(default=0.02, ge=0, le=LONGEST_S)
    batch: float | None = Field(default=None, gt=0, le=1e12)
    """None: streams in flight cost nothing."""
    slots: int | None = Field(default=None, ge=1, le=MOST)
    jitter: float = Field(default=0.0, ge=0, le=2)
    output_tokens: int | None = Field(default=None, ge=1, le=10_000_000)
    """Mean length of an answer; None: as long as max_tokens lets it."""
    max_output_tokens: int = Field(default=4096, ge=1, le=10_000_000)
    """The longest answer of the model, and what a request without max_tokens may get."""
    accuracy: float = Field(default=0.8, ge=0, le=1)
    """How often a synthetic task is answered right."""
    tokens_per_event: int = Field(default=1, ge=1, le=10_000_000)
    reasoning_tokens: int = Field(default=0, ge=0, le=10_000_000)
    """Tokens of reasoning streamed before the first visible text."""
    thinks: Literal["always", "unasked", "asked"] = "unasked"
    """When it reasons: always, unless it is asked not to, or only when it is asked to."""
    rejects: Annotated[list[str], Field(max_length=100)] | None = None
    """Inference keys that are answered with HTTP 400; None: those that the model's id is known to turn down."""
    cache: bool | Literal["points"] = False
    """Serve prompts seen before from a prompt cache, and say so in usage: unasked, or up to the points that requests set."""
    cache_min_tokens: int = Field(default=1024, ge=0, le=10_000_000)
    """A beginning up to a point that is shorter is not cached."""
    served_tier: str | None = None
    """The service tier that answers whatever tier is asked for; None: the one asked for."""
    served_latency: str | None = None
    """The latency mode that answers, likewise."""
    speeds: dict[str, Annotated[float, Field(gt=0, le=100)]] = Field(default={})
    """How many times as fast answers of a service tier or latency mode come: ``{priority: 1.5, optimized: 2}``."""
    routes_to: str | None = None
    """The model that a prompt router says it chose."""
    quota: Quota = Quota()
    faults: list[Fault] = Field(default=[], max_length=1000)


class Simulator(Strict):
    """The simulator. ``models`` overrides ``profile`` key by key for a model id."""

    profile: Profile = Profile()
    models: dict[str, Profile] = Field(default={})
    tls: bool = False
    bearer_key: str | None = None
    seed: int = 0

    def profile_of(self, model_id: str) -> Profile:
        """The profile that serves ``model_id``: ``profile``, with the keys that ``models`` sets for it."""
        override = self.models.get(model_id)
        if override is None:
            return self.profile
        return self.profile.model_copy(update={key: getattr(override, key) for key in override.model_fields_set})
