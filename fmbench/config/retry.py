"""``load.retry``: what is done when a request fails, as an experiment. Off unless it is asked for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fmbench.config.base import Strict, one_of
from fmbench.core.retries import USUAL, WORDS, Backoff

Failure = Annotated[str, one_of(WORDS)]
OURS_ALONE = ("base_s", "cap_s", "jitter", "on")
USUAL_ATTEMPTS = 3
BASE_S, CAP_S = 0.5, 20.0
MOST_OF_BOTO3 = 10
LONGEST_WAIT_OF_BOTO3_S = 25.0
"""What is reckoned with where boto3 decides: by default it makes 5 attempts at most, and waits 20 s, or 5 more where told to."""


class Retry(Strict):
    """Try again after a failure: by a rule of our own, or as boto3 does in one of its modes."""

    mode: Literal["ours", "legacy", "standard", "adaptive"] = "ours"
    """``ours``: by the keys below; else boto3's own decision by that name."""
    attempts: int | None = Field(default=None, ge=1, le=20)
    """The most that a request has, the first one included; None: 3, and in boto3's modes what boto3 is configured to."""
    base_s: float | None = Field(default=None, ge=0, le=3600)
    """The longest wait before the second attempt, twice as long before each further one; None: 0.5."""
    cap_s: float | None = Field(default=None, ge=0, le=3600)
    """No wait is longer; None: 20."""
    jitter: Literal["full", "none"] | None = None
    """``full``, as is None: each wait is drawn evenly between nothing and its longest."""
    on: Annotated[list[Failure], Field(min_length=1)] | None = None
    """Which failures are tried again; ``throttled`` stands for every kind of throttle. None: what passes by itself."""

    @model_validator(mode="after")
    def _of_one_kind(self) -> Retry:
        given = [name for name in OURS_ALONE if getattr(self, name) is not None]
        if self.mode != "ours" and given:
            raise ValueError(f"has {', '.join(given)} beside mode {self.mode}, where boto3 decides: leave out one or the other")
        return self

    @property
    def backoff(self) -> Backoff | None:
        """Our own rule; None where boto3 decides."""
        if self.mode != "ours":
            return None
        return Backoff(
            attempts=self.most_attempts,
            base_s=BASE_S if self.base_s is None else self.base_s,
            cap_s=self._cap_s,
            jitter=self.jitter != "none",
            on=frozenset(self.on or USUAL),
        )

    @property
    def most_attempts(self) -> int:
        """The most that a request may have."""
        return self.attempts or (USUAL_ATTEMPTS if self.mode == "ours" else MOST_OF_BOTO3)

    @property
    def longest_s(self) -> float:
        """The most that a request may wait between its attempts, seconds."""
        return (self.most_attempts - 1) * (self._cap_s if self.mode == "ours" else LONGEST_WAIT_OF_BOTO3_S)

    @property
    def _cap_s(self) -> float:
        return CAP_S if self.cap_s is None else self.cap_s
