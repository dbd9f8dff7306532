"""The sentences of the verdict: why a model is recommended or none is, and what would change that."""

from __future__ import annotations

from collections.abc import Iterable

from fmbench.core.figures.cost import COST
from fmbench.core.figures.figure import Figure, Judgement
from fmbench.core.figures.registry import of_objective
from fmbench.core.reasons import (
    Behind,
    Best,
    FailsAbove,
    FailsBelow,
    LimitWouldDecide,
    MayBeBetter,
    NoneMeets,
    NothingAbove,
    NotMeasured,
    OnlyOne,
    Place,
    PriceWouldDecide,
    Tied,
    Undecided,
    UndecidedAbove,
    UndecidedBelow,
)
from fmbench.core.units import A_MINUTE, SCORE
from fmbench.report.say import Names, say, sentence
from fmbench.report.wording import count_of, joined, level_text, limit_amount, limit_text, value_text

LATENCY_DECIDED = " (no price is known, so latency decided)"


def level_words(place: Place) -> str:
    """``16 users``, or of an open loop ``600 requests a minute``."""
    return level_text(place.users, place.rate_per_min)


def place_words(place: Place, names: Names) -> str:
    """``nova-lite at 16 users``."""
    return f"{names(place.model)} at {level_words(place)}"


def _meets(winner: Place, names: Names, asked: bool) -> str:
    if not asked:
        return f"No objective is set: {place_words(winner, names)} is chosen"
    return f"{names(winner.model)} meets every objective at {level_words(winner)}"


@sentence.register
def _(message: OnlyOne, names: Names) -> str:
    met = _meets(message.winner, names, message.asked)
    if message.others == "none":
        return f"{met}; no other model was measured."
    if not message.asked:
        return f"{met}; too many failures, or too few answers with text, rule out every other model."
    return f"{met}, and no other model {'is shown to' if message.others == 'open' else 'does'}."


@sentence.register
def _(message: Best, names: Names) -> str:
    met = _meets(message.winner, names, message.asked)
    best = f"{met} with the best {message.figure.title}{_value(message.figure, message.value)}"
    return f"{best}; {behind_words(message.runner_up, names)}{LATENCY_DECIDED if message.no_price else ''}."


@sentence.register
def _(message: Tied, names: Names) -> str:
    rivals = joined(map(names, message.rivals))
    settled = {
        "lower cost": f", and it is the {'cheaper' if len(message.rivals) == 1 else 'cheapest'}",
        "lower cost, inside the noise": f", and it cost {'less' if len(message.rivals) == 1 else 'least'}, inside the noise",
        "same cost": ", and costs the same",
        "nothing": "",
    }[message.settled_by]
    tie = f"{rivals} cannot be told from it by {message.figure.title}{_value(message.figure, message.value)}{settled}"
    return f"{_meets(message.winner, names, message.asked)}; {tie}{LATENCY_DECIDED if message.no_price else ''}."


def _value(figure: Figure, value: float | None) -> str:
    return "" if value is None else f": {value_text(figure.unit, value)}"


def behind_words(behind: Behind, names: Names) -> str:
    """``haiku at 4 users costs $5.17 (95 %: $5.03 to $5.32) more``: how far one cell is behind another."""
    gap = gap_words(behind)
    return f"{place_words(behind.place, names)} {gap}" if gap else f"of {names(behind.place.model)} it is not known"


def gap_words(behind: Behind) -> str:
    """``costs $5.17 (95 %: $5.03 to $5.32) more``, ``answers 36.5 (95 %: 21.5 to 51.1) fewer a minute``; nothing where it is
    not known."""
    if behind.difference is None or behind.ci95 is None:
        return ""
    figure = behind.figure
    low, high = sorted(abs(end) for end in behind.ci95)
    worse = (behind.difference >= 0) == figure.less_is_better
    unit, way = figure.unit, figure.difference.worse if worse else figure.difference.better
    if unit is A_MINUTE:
        unit, way = SCORE, f"{way} {A_MINUTE.after}"
    gap, low_text, high_text = (value_text(unit, value) for value in (abs(behind.difference), low, high))
    how = "95 %, by prompt" if behind.paired else "95 %"
    return f"{figure.difference.verb} {gap} ({how}: {low_text} to {high_text}) {way}"


@sentence.register
def _(message: NotMeasured, names: Names) -> str:
    return f"No cell of {message.bucket} was measured to its end{f': {message.why}' if message.why else ''}."


@sentence.register
def _(message: Undecided, names: Names) -> str:
    return f"No model is shown to meet every objective yet: undecided. Nearest is {undecided_place(message, names)}."


def undecided_place(message: Undecided, names: Names) -> str:
    """The nearest cell, and what it takes to decide it."""
    return f"{place_words(message.nearest, names)}{open_words(message.open, names) or ' (no request was answered)'}"


@sentence.register
def _(message: NoneMeets, names: Names) -> str:
    nearest = f"{place_words(message.nearest, names)}: {failed_words(message.failed)}"
    return f"No model meets the objectives. Nearest is {nearest}."


@sentence.register
def _(message: NothingAbove, names: Names) -> str:
    return f"Nothing was measured above {level_words(message.winner)} of {names(message.winner.model)}."


@sentence.register
def _(message: FailsAbove, names: Names) -> str:
    limits = joined(limit_text(item.objective, item.limit) for item in message.failed)
    return f"At {level_words(message.place)} {names(message.place.model)} does not meet {limits}."


@sentence.register
def _(message: FailsBelow, names: Names) -> str:
    limits = joined(limit_text(item.objective, item.limit) for item in message.failed)
    users = level_words(message.place)
    return f"At only {users} {names(message.place.model)} does not meet {limits}: no level above one that failed is certain."


@sentence.register
def _(message: UndecidedBelow, names: Names) -> str:
    users = level_words(message.place)
    return f"At only {users} of {names(message.place.model)} it is undecided{open_words(message.open, names)}."


@sentence.register
def _(message: UndecidedAbove, names: Names) -> str:
    users = level_words(message.place)
    return f"At {users} of {names(message.place.model)} it is undecided{open_words(message.open, names)}."


@sentence.register
def _(message: MayBeBetter, names: Names) -> str:
    return f"{place_words(message.place, names)} would be better, and is undecided{open_words(message.open, names)}."


@sentence.register
def _(message: PriceWouldDecide, names: Names) -> str:
    price = f"{value_text(COST.unit, message.below)} {COST.unit.per}"
    model = names(message.model)
    met = ", which meets every objective too," if message.asked else ""
    return f"The price of {model}{met} is not known: under {price} it would be chosen."


@sentence.register
def _(message: LimitWouldDecide, names: Names) -> str:
    limit, now = (limit_amount(of_objective(message.objective).unit, value) for value in (message.limit, message.now))
    title = of_objective(message.objective).title
    return f"With a limit of {limit} on {title}, and not of {now}, {place_words(message.instead, names)} would be chosen."


def open_words(judgements: Iterable[Judgement], names: Names) -> str:
    """`` (TTFT p95 ≤ 1.5 s: about 140 requests more)``, or why more would not help; nothing where nothing is open."""
    parts = [f"{limit_text(item.objective, item.limit)}: {needed_words(item, names)}" for item in judgements]
    return f" ({'; '.join(parts)})" if parts else ""


def needed_words(judgement: Judgement, names: Names) -> str:
    """What it would take to decide an objective, or why nothing would."""
    if judgement.why is not None:
        return say(judgement.why, names)
    return (
        f"about {count_of(judgement.requests_needed, 'request')} more"
        if judgement.requests_needed
        else "too near its limit to tell"
    )


def failed_words(judgements: Iterable[Judgement]) -> str:
    """``TTFT p95 ≤ 1.5 s is not met (it has 6.86 s)``, and so on."""
    said = []
    for item in judgements:
        unit = of_objective(item.objective).unit
        value = "" if item.value is None else f" (it has {value_text(unit, item.value)})"
        said.append(f"{limit_text(item.objective, item.limit)} is not met{value}")
    return joined(said)
