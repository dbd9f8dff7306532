"""Beside the answer: the least difference that this run would have seen, and what it would take to settle what is open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fmbench.core.figures.registry import of_key
from fmbench.core.messages import Message
from fmbench.core.units import PER_CENT
from fmbench.report.blocks import Text, text
from fmbench.report.numbers import count, figure_value, listed, plural, share, usd
from fmbench.report.say import say
from fmbench.report.study import Study
from fmbench.report.wording import level_text

Names = Callable[[str], str]
MOST_NAMED = 3


def settling(study: Study) -> Text | None:
    """Both as one paragraph; None where there is neither."""
    said = settling_words(study.verdict or {}, lambda label: text(study.short(label)))
    return Text(" ".join(said)) if said else None


SEEN = "would be seen in nine of ten such runs"


def settling_words(verdict: Mapping[str, Any], names: Names) -> list[str]:
    """The sentences, from a verdict as summary.json has it."""
    least, open_questions = verdict.get("least_seen"), verdict.get("to_settle")
    return [*([_least(least, names)] if least else []), *([_to_settle(open_questions, names)] if open_questions else [])]


def _least(least: Mapping[str, Any], names: Names) -> str:
    figure = of_key(least["figure"])
    size = figure_value(figure, least["difference"])
    part = "" if least["share"] is None or figure.unit is PER_CENT else f" ({share(least['share'])})"
    if len(least["models"]) > 1:
        one, other = map(names, least["models"])
        how = ", compared by prompt" if least["paired"] else ""
        return f"A difference in {figure.title} of {size}{part} or more between {one} and {other} {SEEN}{how}."
    [model] = least["models"]
    return f"A distance of {size}{part} or more between {names(model)}'s {figure.title} and its limit {SEEN}."


def _to_settle(found: Mapping[str, Any], names: Names) -> str:
    told = [part for part in found["parts"] if part["requests"] is not None]
    beyond = [part for part in found["parts"] if part["requests"] is None]
    never = _beyond(beyond, names)
    if not told:
        return f"What is open cannot be settled by more requests of this kind: {never}"
    cost = f", {usd(found['usd'])}" if found["usd"] is not None else ""
    parts = [f"{_question(part, names)}: {count(part['requests'])}" for part in told[:MOST_NAMED]]
    parts += [f"{plural(len(told) - MOST_NAMED, 'question')} more"] if len(told) > MOST_NAMED else []
    lead = f"**To settle what is open: about {plural(found['requests'], 'request')} more{cost}** ({'; '.join(parts)})."
    return f"{lead} More of them do not settle {never}" if beyond else lead


def _beyond(never: list[Mapping[str, Any]], names: Names) -> str:
    """The questions that more requests do not settle, each with what stands in the way, as the end of a sentence."""
    by_reason: dict[str, list[str]] = {}
    for part in never[:MOST_NAMED]:
        why = part.get("why") or "too close for any number of requests to tell"
        by_reason.setdefault(text(say(why, names) if isinstance(why, Message) else why), []).append(_question(part, names))
    return f"{'; '.join(f'{listed(questions)} ({reason})' for reason, questions in by_reason.items())}."


def _question(part: Mapping[str, Any], names: Names) -> str:
    if part["beside"] is not None:
        return f"whether {names(part['model'])} and {names(part['beside'])} differ by 1 % or more"
    return f"{names(part['model'])} at {level_text(part['concurrency'], part['rate_per_min'])}"
