"""The first page's three sentences: what to pick, or why there is no answer and what it would take."""

from __future__ import annotations

from typing import Any

from fmbench.core.failures import THROTTLES
from fmbench.core.figures.errors import ERROR_RATE
from fmbench.report.blocks import code, text
from fmbench.report.numbers import count, plural, share
from fmbench.report.sentences import undecided_place
from fmbench.report.study import Study
from fmbench.report.words import bucket_words, failed_limits, nearest, picked, told

MOST_NAMED = 3
"""Models that the answer names one by one; the table below it has them all."""


def answer(study: Study) -> str:
    """The three sentences, as Markdown."""
    verdict = study.verdict
    if verdict is not None and verdict.get("recommendation"):
        return picked(study, verdict)
    if not study.requests.ok.any():
        return _nothing_answered(study)
    if verdict is None or verdict["status"] == "not_measured":
        return _not_reached(study, verdict)
    if verdict["status"] == "undecided":
        return _undecided(study, verdict)
    return " ".join(part for part in (_none_feasible(study, verdict), _throttled(study, verdict)) if part)


def _nothing_answered(study: Study) -> str:
    sent = len(study.requests)
    if not sent:
        return f"**No answer: no request was sent.** {_ended(study)}Nothing is known about any model."
    kind, most = next(iter(study.kinds.counts().items()))
    how = f"All failed with {code(kind)}." if most == sent else f"Most failed with {code(kind)} ({count(most)})."
    lead = f"**No answer: none of the {plural(sent, 'request')} was answered.**"
    return f"{lead} {how} {_ended(study)}Until that is cured, the run says nothing about any model."


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
    return f"**Undecided: no model is shown to meet every objective yet.** Nearest is {nearest}.{_others(study, verdict)}"


def _none_feasible(study: Study, verdict: dict[str, Any]) -> str:
    return f"**No model meets the objectives.** {nearest(study, verdict)}{_others(study, verdict)}"


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
