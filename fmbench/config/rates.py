"""Rates of an open loop, steady or changing, and how long users of a closed one think."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from fmbench.config.base import Strict, distinct, one_of
from fmbench.config.objectives import Seconds
from fmbench.core.arrivals.profile import Profile
from fmbench.core.arrivals.ramp import Ramp
from fmbench.core.think_time import SPREADS

MOST_PER_MIN = 6_000_000
RatePerMin = Annotated[float, Field(gt=0, le=MOST_PER_MIN)]
MomentaryRate = Annotated[float, Field(ge=0, le=MOST_PER_MIN)]
"""Of a rate that changes: nothing may be sent for a while."""


class RampRate(Strict):
    """An open loop whose rate rises or falls evenly, requests a minute, over so many seconds."""

    start: MomentaryRate = Field(alias="from")
    end: MomentaryRate = Field(alias="to")
    over_s: Seconds

    @model_validator(mode="after")
    def _of_something(self) -> RampRate:
        if not self.start and not self.end:
            raise ValueError("goes from 0 to 0 and sends nothing: give one of the two a rate")
        return self

    def shape(self, ahead_s: float) -> Ramp:
        """What it is over time, after ``ahead_s`` seconds at its first rate."""
        return Ramp(self.start, self.end, self.over_s, ahead_s)


class ProfileRate(Strict):
    """An open loop whose rate goes from step to step, each for its equal part of so many seconds."""

    profile: list[MomentaryRate] = Field(min_length=2, max_length=10_000)
    over_s: Seconds

    @model_validator(mode="after")
    def _of_something(self) -> ProfileRate:
        if not any(self.profile):
            raise ValueError("has no step with a rate and sends nothing: give one of them a rate")
        return self

    def shape(self, ahead_s: float) -> Profile:
        """What it is over time, after ``ahead_s`` seconds at its first rate."""
        return Profile(tuple(self.profile), self.over_s, ahead_s)


class ThinkTime(Strict):
    """How long a user waits after an answer before the next request."""

    mean: float = Field(ge=0, le=86_400)
    spread: Annotated[str, one_of(tuple(SPREADS))] = "exponential"
    cv: float = Field(default=1.0, gt=0, le=10)
    """The standard deviation over the mean, of ``lognormal``."""


Rates = Annotated[list[RatePerMin], Field(min_length=1, max_length=1000), AfterValidator(distinct)]


def _kind_of_rate(value: Any) -> str:
    """Which of the three was meant, so that what is wrong with it is said of that one alone. No answer is the name of a key: it
    stands in the path of a fault."""
    if isinstance(value, (dict, RampRate, ProfileRate)):
        return "(profile)" if isinstance(value, ProfileRate) or (isinstance(value, dict) and "profile" in value) else "(ramp)"
    return "(rates)"


Rate = Annotated[
    Annotated[Rates, Tag("(rates)")] | Annotated[RampRate, Tag("(ramp)")] | Annotated[ProfileRate, Tag("(profile)")],
    Discriminator(_kind_of_rate),
]
Thought = Annotated[
    Annotated[float, Field(ge=0, le=86_400), Tag("seconds")] | Annotated[ThinkTime, Tag("distribution")],
    Discriminator(lambda value: "distribution" if isinstance(value, (dict, ThinkTime)) else "seconds"),
]
