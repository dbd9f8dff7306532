"""The first page's three sentences: what to pick, or why there is no answer and what it would take."""

from __future__ import annotations

from typing import Any

from fmbench.core.cells import level_of
from fmbench.core.failures import THROTTLES
from fmbench.core.figures.cost import COST
from fmbench.core.figures.errors import ERROR_RATE
from fmbench.core.figures.figure import Figure
from fmbench.core.messages import Message
from fmbench.core.reasons import FailsBelow, UndecidedBelow, stops_at
from fmbench.core.units import A_MINUTE, DOLLARS
from fmbench.report.blocks import code, text
from fmbench.report.first_page.trust import is_invalid
from fmbench.report.numbers import (
    count,
    interval,
    known,
    plain,
    plural,
    seconds,
    share,
    usd,
)
from fmbench.report.quota_words import quota_sentences
from fmbench.report.sentences import gap_words, undecided_place
from fmbench.report.study import Cell, Study
from fmbench.report.words import at_level, bucket_words, failed_limits, level_words, nearest, told

MOST_NAMED = 3
"""Models that the answer names one by one; the table below it has them all."""
_ANSWERED = {"p95": "95 % of requests", "p90": "90 % of requests", "p50": "half of the requests"}


def answer(study: Study) -> str:
    """The three sentences, as Markdown."""
    quotas = quota_sentences(study.summary, lambda label: f"**{text(study.short(label))}**")
    if quotas:
        return f"**The quota was searched for; no model is judged.** {' '.join(quotas)}"
    verdict = study.verdict
    if verdict is not None and verdict.get("recommendation"):
        return _not_trusted(study, verdict) if is_invalid(study) else picked(study, verdict)
    if not study.requests.ok.any():
        return _nothing_answered(study)
    if verdict is None or verdict["status"] == "not_measured":
        return _not_reached(study, verdict)
    if verdict["status"] == "undecided":
        return _undecided(study, verdict)
    return " ".join(part for part in (_none_feasible(study, verdict), _throttled(study, verdict)) if part)


def _not_trusted(study: Study, verdict: dict[str, Any]) -> str:
    chosen = verdict["recommendation"]
    place = f"{text(study.short(chosen['model']))} at {at_level(chosen)}"
    cure = "Cure what is said above, and run it again"
    return (
        f"**No answer: the run is INVALID.** {cure}. Its figures alone would point to {place}; they are below to find the fault."
    )


def _nothing_answered(study: Study) -> str:
    sent = len(study.requests)
    if not sent:
        return f"**No answer: no request was sent.** {_ended(study)}Nothing is known about any model."
    lead = f"**No answer: none of the {plural(sent, 'request')} was answered.**"
    return f"{lead} {_how(study, sent)} {_ended(study)}Until that is cured, the run says nothing about any model."


def _how(study: Study, sent: int) -> str:
    kind, most = next(iter(study.kinds.counts().items()), (None, 0))
    if kind is None:
        return "None of their ends was seen: the load was cut before."
    return f"All failed with {code(kind)}." if most == sent else f"Most failed with {code(kind)} ({count(most)})."


def _not_reached(study: Study, verdict: dict[str, Any] | None) -> str:
    bucket = study.bucket_asked
    where = f" for {bucket_words(bucket)}" if bucket else ""
    why = _ended(study) or (f"{told(study, verdict['reason'])} " if verdict else "")
    return f"**No answer{where}: none of its cells was measured to its end.** {why}What was measured is below."


def _ended(study: Study) -> str:
    """Why the run ended before its plan did, as a sentence with a space behind it; nothing where it did not."""
    if study.manifest.get("ended") in (None, "done"):
        return ""
    message = study.manifest.get("message") or study.manifest["ended"]
    return f"The run ended early: {text(message)}. "


def _undecided(study: Study, verdict: dict[str, Any]) -> str:
    nearest = text(undecided_place(verdict["reason"], study.short))
    lead = "**No answer yet: undecided. No model is shown to meet every objective.**"
    return f"{lead} Nearest is {nearest}.{_others(study, verdict)}"


def _none_feasible(study: Study, verdict: dict[str, Any]) -> str:
    return f"**No answer: no model meets the objectives.** {nearest(study, verdict)}{_others(study, verdict)}"


def _others(study: Study, verdict: dict[str, Any]) -> str:
    closest = (verdict.get("nearest") or {}).get("model")
    rows = [row for row in verdict["models"] if row["status"] == "not_met" and row["model"] != closest]
    said = [f"{text(study.short(row['model']))} fails {failed_limits(row['closest'])}" for row in rows[:MOST_NAMED]]
    more = [f"{plural(len(rows) - MOST_NAMED, 'other')} below"] if len(rows) > MOST_NAMED else []
    return f" {'; '.join([*said, *more])}." if said else ""


def _throttled(study: Study, verdict: dict[str, Any]) -> str:
    """What to do where throttling is what fails the objectives: the limit is then the quota, and not a model."""
    cells = [cell for cell in study.cells if cell["bucket"] == verdict["bucket"] and cell["failed"]]
    limit = study.limit(ERROR_RATE)
    failed = sum(cell["failed"] for cell in cells)
    throttles = sum(number for cell in cells for kind, number in cell["failures"].items() if kind in THROTTLES)
    if limit is None or not failed or throttles < 0.5 * failed:
        return ""
    cure = "the account's quota is the limit, not the model; ask for more of it, or load less"
    return f"Of the failures {share(throttles / failed)} are throttling: {cure}."


def picked(study: Study, verdict: dict[str, Any]) -> str:
    """The three sentences of a run that has an answer: what to pick, against what, and how far the run goes."""
    chosen = verdict["recommendation"]
    cell = study.cell(chosen["model"], chosen["bucket"], level_of(chosen))
    return " ".join((_pick(study, chosen, cell), _against(study, verdict), _reach(study, verdict)))


def _pick(study: Study, chosen: dict[str, Any], cell: Cell | None) -> str:
    lead = f"**Pick {text(study.short(chosen['model']))} at {at_level(chosen)}.**"
    if cell is None:
        return lead
    e2e = study.as_judged(cell).get("e2e_s") or cell["e2e_s"]
    speed = next((f" answers {_ANSWERED[name]} within {_seconds(e2e, name)}" for name in _ANSWERED if known(e2e.get(name))), "")
    cost = f", at **{usd(paid[0])} per 10,000 transactions**" if (paid := COST.measured(cell)) is not None else ""
    if not study.limits:
        return f"{lead} No objective is set; it{speed or ' answers'}{cost}."
    return f"{lead} It meets every objective{speed and f' and{speed}'}{cost}."


def _seconds(stats: dict[str, Any], quantile: str) -> str:
    span = interval((stats.get("ci95") or {}).get(quantile), stats[quantile])
    return f"{seconds(stats[quantile])}{f' (95 % interval {span[1:-1]})' if span else ''}"


def _against(study: Study, verdict: dict[str, Any]) -> str:
    chosen = verdict["recommendation"]
    runner = chosen.get("runner_up")
    if not runner:
        return _alone({row["status"] for row in verdict["models"] if row["model"] != chosen["model"]}, bool(study.limits))
    name = text(study.short(runner["model"]))
    place = f"{name} at {at_level(runner)}"
    if runner["model"] in (chosen.get("tied_with") or []):
        figure = verdict["reason"].figure.title
        settled = ", and the cheaper one is chosen" if chosen["cheaper"] else ""
        return f"{place} cannot be told from it by {figure}: the difference is inside the noise{settled}."
    behind = verdict["reason"].runner_up
    gap = gap_words(behind)
    if not gap:
        return f"The runner-up is {place}, whose {behind.figure.title} is not known."
    times = ""
    if behind.figure.unit is DOLLARS and known(behind.ratio) and behind.ratio > 1:
        times = f", {plain(behind.ratio)} times as much"
    return f"The runner-up, {place}, {text(gap)}{_by(behind.figure)}{times}."


def _by(figure: Figure) -> str:
    """What a difference is of, behind it: `` per 10,000``, `` by TTFT p95``; a rate says it itself."""
    return "" if figure.unit is A_MINUTE else f" {figure.unit.per or f'by {figure.title}'}"


def _alone(others: set[str], asked: bool) -> str:
    """What is known of the models that were not chosen, by their statuses, where none of them meets every objective."""
    if not others - {"not_measured"}:
        return "No other model was measured."
    if not asked:
        return "Too many failures, or too few answers with text, rule out every other model."
    return f"No other model {'is shown to meet' if 'undecided' in others else 'meets'} every objective."


def _reach(study: Study, verdict: dict[str, Any]) -> str:
    notes = reach_of(verdict)
    end = told(study, notes[0]) if notes else f"Nothing was measured above {level_words(study, max(study.levels))}."
    if verdict["recommendation"].get("certain", True):
        return end
    below = [note for note in verdict.get("what_would_change") or [] if isinstance(note, FailsBelow | UndecidedBelow)]
    if below:
        return f"{end} It is not certain. {told(study, below[0])}"
    return f"{end} It is not certain: another model may yet turn out better."


def reach_of(verdict: dict[str, Any]) -> list[Message]:
    """What stops the chosen model from carrying more users: the last of the three sentences."""
    messages: list[Message] = verdict.get("what_would_change") or []
    return [*filter(stops_at, messages)][:1]
