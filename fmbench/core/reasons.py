"""Why an objective is undecided, why a model is recommended or none is, and what would change that: as types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from fmbench.core.messages import Message

if TYPE_CHECKING:
    from fmbench.core.figures.figure import Figure, Judgement


@dataclass(frozen=True, slots=True)
class NoSuchLatency(Message):
    """Of an API that does not stream."""

    says: ClassVar[str] = "no answer of this cell has this latency (an API that does not stream has no first token)"


@dataclass(frozen=True, slots=True)
class NothingAnswered(Message):
    """Of a cell without an answer."""

    says: ClassVar[str] = "no request was answered"


@dataclass(frozen=True, slots=True)
class NothingEnded(Message):
    """Of a cell whose requests have no known end."""

    says: ClassVar[str] = "no request ended"


@dataclass(frozen=True, slots=True)
class NothingMeasured(Message):
    """Of a cell without a window."""

    says: ClassVar[str] = "nothing was measured"


@dataclass(frozen=True, slots=True)
class NoPrice(Message):
    """Of a model whose price is in no book."""

    says: ClassVar[str] = "the price is not known"


@dataclass(frozen=True, slots=True)
class NotScored(Message):
    """Of a run without scores."""

    says: ClassVar[str] = "no answer was scored: it takes quality: true, and prompts with known answers"


@dataclass(frozen=True, slots=True)
class MorePrompts(Message):
    """More answers to the same prompts would not tell."""

    says: ClassVar[str] = "all {prompts} prompts were answered more than once: it takes about {needed} different ones"
    prompts: int
    needed: int


@dataclass(frozen=True, slots=True)
class Place:
    """One model at one level: ``users`` at a time, or the requests a minute of an open loop."""

    model: str
    users: int
    rate_per_min: float | None = None


@dataclass(frozen=True, slots=True)
class Behind:
    """How far a cell is behind another by a figure: the other's value minus its own, with the 95 % interval."""

    place: Place
    figure: Figure
    difference: float | None
    ci95: tuple[float, float] | None
    ratio: float | None = None
    paired: bool = False
    """Whether requests with the same prompt were compared with each other."""


@dataclass(frozen=True, slots=True)
class OnlyOne(Message):
    """The winner is the only model that meets every objective. ``others``: what is known of the rest."""

    winner: Place
    others: Literal["none", "open", "failed"]
    """Whether no other was measured, some are undecided, or all fail."""
    asked: bool = True
    """Whether any objective is set."""


@dataclass(frozen=True, slots=True)
class Best(Message):
    """The winner is better than every other by the figure that decides."""

    winner: Place
    figure: Figure
    value: float | None
    runner_up: Behind
    no_price: bool
    """Whether cost was to decide, and no price is known."""
    asked: bool = True


Settled = Literal["lower cost", "lower cost, inside the noise", "same cost", "nothing"]


@dataclass(frozen=True, slots=True)
class Tied(Message):
    """Others cannot be told from the winner by the figure that decides."""

    winner: Place
    figure: Figure
    value: float | None
    rivals: tuple[str, ...]
    settled_by: Settled
    """What is known of their cost beside the winner's, which is never higher."""
    no_price: bool
    asked: bool = True


@dataclass(frozen=True, slots=True)
class NothingPlanned(Message):
    """The bucket of interest has no cell."""

    says: ClassVar[str] = "No request of {bucket}, the bucket of interest, was planned."
    bucket: str


@dataclass(frozen=True, slots=True)
class NoCells(Message):
    """The run has no cell at all."""

    says: ClassVar[str] = "Nothing was measured."


@dataclass(frozen=True, slots=True)
class QuotaSearched(Message):
    """The run looked for a quota: it was meant to be throttled, and judges nothing."""

    says: ClassVar[str] = "A quota was searched for; no model is judged."


@dataclass(frozen=True, slots=True)
class NotMeasured(Message):
    """No cell of the bucket was measured to its end."""

    bucket: str
    why: str | None


@dataclass(frozen=True, slots=True)
class Undecided(Message):
    """No model is shown to meet every objective yet. ``open``: the objectives that the nearest cell leaves undecided."""

    nearest: Place
    open: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class NoneMeets(Message):
    """No model meets the objectives. ``failed``: those that the nearest cell fails."""

    nearest: Place
    failed: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class NothingAbove(Message):
    """The winner was not measured with more users."""

    winner: Place


@dataclass(frozen=True, slots=True)
class FailsAbove(Message):
    """With more users the winner fails these objectives."""

    place: Place
    failed: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class FailsBelow(Message):
    """With fewer users the winner fails these objectives, which makes it uncertain."""

    place: Place
    failed: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class UndecidedBelow(Message):
    """With fewer users the winner is undecided, which makes it uncertain."""

    place: Place
    open: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class UndecidedAbove(Message):
    """With more users the winner is undecided."""

    place: Place
    open: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class MayBeBetter(Message):
    """A model that is still undecided would be better than the winner."""

    place: Place
    open: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class PriceWouldDecide(Message):
    """A model that meets every objective has no known price: below this one it would be chosen."""

    model: str
    below: float
    asked: bool = True
    """Whether any objective is set."""


@dataclass(frozen=True, slots=True)
class LimitWouldDecide(Message):
    """With a tighter limit another model would be chosen: tried on all cells of the verdict."""

    objective: str
    limit: float
    now: float
    instead: Place


def stops_at(message: Message) -> bool:
    """Whether it says what stops the winner from carrying more users."""
    return isinstance(message, NothingAbove | FailsAbove | UndecidedAbove)
