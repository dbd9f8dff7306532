"""Phrases that several parts of the report use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fmbench.core.cells import level_of
from fmbench.core.figures.registry import of_objective
from fmbench.core.messages import Message
from fmbench.core.objectives import widest
from fmbench.report.blocks import text
from fmbench.report.numbers import (
    TO,
    count,
    figure_value,
    interval,
    limit_words,
    listed,
    plural,
    seconds,
)
from fmbench.report.study import Study
from fmbench.report.summary import say
from fmbench.report.wording import level_digits, level_text

STATUS = {"met": "meets all", "not_met": "fails", "undecided": "undecided", "not_measured": "not measured"}


def bucket_words(bucket: str) -> str:
    """A bucket in words: its prompt tokens and its name, or the name alone when it is of another make."""
    language, _, size = bucket.rpartition("_")
    low, _, high = size.partition("-")
    if not (low.isdigit() and high.isdigit() and language):
        return f"bucket {text(bucket)}"
    return f"prompts of {int(low):,}{TO}{int(high):,} tokens ({text(bucket)})"


def objective_words(name: str, value: float) -> str:
    """``TTFT p95 ≤ 1.5 s``: an objective by its configuration key."""
    figure = of_objective(name)
    limit = f"{'≤' if figure.less_is_better else '≥'} {limit_words(figure, value)}"
    return f"{figure.title} {limit} {figure.unit.per}".rstrip()


def judged_value(judgement: dict[str, Any]) -> str:
    """The value of a judged objective, in its own unit."""
    return figure_value(of_objective(judgement["objective"]), judgement.get("value"))


def told(study: Study, message: Message) -> str:
    """A message as Markdown, with the report's short names in it."""
    return text(say(message, study.short))


def at_level(row: Mapping[str, Any]) -> str:
    """The level of a cell's row or of a place in a verdict: ``4 users``, or of an open loop ``600 requests a minute``."""
    return level_text(row["concurrency"], row.get("rate_per_min"))


def level_number(row: Mapping[str, Any]) -> str:
    """The same without what it counts, for tables."""
    return level_digits(level_of(row))


def level_words(study: Study, level: float | None) -> str:
    """A level of the study: ``4 users``, ``600 requests a minute``."""
    if level is None:
        return "no level"
    return level_text(int(level), level if study.open_loop else None)


def nearest(study: Study, verdict: dict[str, Any]) -> str:
    """Which cell comes nearest to the objectives where none meets them, and what it fails by."""
    found = verdict.get("nearest") or {}
    if not found.get("fails"):
        return told(study, verdict["reason"])
    place = f"{text(study.short(found['model']))} at {at_level(found)}"
    return f"Nearest is {place}, which fails {failed_limits(found)}."


def failed_limits(place: dict[str, Any]) -> str:
    """``error rate ≤ 1 % (it has 44.2 %, 95 % interval …)``, and so on for each objective that is failed."""
    return listed([f"{objective_words(item['objective'], item['limit'])} (it has {_value(item)})" for item in place["fails"]])


def _value(item: dict[str, Any]) -> str:
    span = interval(item.get("ci95"), item.get("value"), of_objective(item["objective"]).unit.symbol)
    return judged_value(item) + (f", 95 % interval {span[1:-1]}" if span else "")


def status_words(study: Study, row: dict[str, Any]) -> str:
    """The verdict on a model in a table: ``meets all``, ``fails TTFT p95 ≤ 1.5 s``, ``undecided: …, about 140 requests more``."""
    closest = row.get("closest") or {}
    if row["status"] == "not_met":
        return "fails " + listed([objective_words(item["objective"], item["limit"]) for item in closest.get("fails") or []])
    if row["status"] == "undecided":
        return f"**undecided**: {'; '.join(_open(study, item) for item in closest.get('undecided') or [])}"
    return "no objective set" if row["status"] == "met" and not study.limits else STATUS[row["status"]]


def _open(study: Study, item: dict[str, Any]) -> str:
    words = objective_words(item["objective"], item["limit"])
    if item.get("requests_needed"):
        return f"{words}, about {plural(item['requests_needed'], 'request')} more"
    return f"{words}, {told(study, item['why']) if item.get('why') else 'too near its limit to tell'}"


def good_words(study: Study) -> str:
    """What a good request of this study is: ``a whole answer with text, TTFT ≤ 1.5 s``, in the limits that it is counted by."""
    limits = []
    for one in widest(study.limits):
        assert one.percentile is not None
        limits.append(f"{one.percentile.latency.short} ≤ {limit_words(one.figure, one.limit)} {one.figure.unit.per}".rstrip())
    return listed(["a whole answer with text", *limits]) if limits else "a whole answer with text (no latency objective is set)"


def goodput_words(study: Study) -> str:
    """The definition of goodput as it is counted here."""
    twice = len([one for one in study.limits if one.percentile is not None]) > len(widest(study.limits))
    several = " Of several limits on one latency the widest counts." if twice else ""
    return f"Of all requests sent, failures included, the share that got {good_words(study)}.{several}"


def calibration(study: Study) -> str:
    """What the machine was measured to carry, beside what the plan asked for; nothing where the plan needed no measure."""
    measure = (study.manifest.get("environment") or {}).get("calibration") or {}
    if not measure:
        return ""
    carries, error = plural(measure["users_per_process"], "user"), seconds(measure["max_ttft_error_s"])
    asked = count(measure["asked_per_process"])
    return f"Calibrated for {carries} a load process at ≤ {error} TTFT error; at most {asked} were on one."
