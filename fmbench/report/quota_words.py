"""The quotas that a search found, in sentences: for page one, the section and the closing line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fmbench.report.numbers import count, known, plural

Search = Mapping[str, Any]
STRAY = 0.01
"""So many requests may pass another on their way: they contradict nothing."""
KEYS = (("requests_per_min", "requests"), ("tokens_per_min", "tokens"))


def searched(summary: Mapping[str, Any]) -> list[Search]:
    """The searches for a quota of a run that found something to say; empty where none was asked for."""
    return [each for each in summary.get("search") or [] if each["of"] == "quota" and each["quota"]]


def quota_sentences(summary: Mapping[str, Any], name: Callable[[str], str] = str) -> list[str]:
    """What was found of each model, as Markdown; ``name`` is what a model is called."""
    return [f"{name(each['model'])}: {_found(each)}" for each in searched(summary)]


def _found(each: Search) -> str:
    quota = each["quota"]
    parts = [_onsets(quota), _works(quota), "A daily quota throttled." if "daily" in quota["throttled_by"] else ""]
    parts += ["" if each["finished"] else "The search was cut before its end.", _contradicted(each)]
    return " ".join(part for part in parts if part)


def _onsets(quota: Mapping[str, Any]) -> str:
    onsets = [f"{amount(quota[key])} {what} a minute" for key, what in KEYS if quota[key]]
    if onsets:
        return f"throttled from {' and '.join(onsets)} on."
    most = f"{count(round(quota['most_requests_per_min']))} requests and {count(round(quota['most_tokens_per_min']))} tokens"
    return f"nothing was throttled up to {most} a minute."


def _works(quota: Mapping[str, Any]) -> str:
    reserved = {True: "`max_tokens` is reserved at admission.", False: "`max_tokens` is not reserved.", None: ""}
    weight = f"An output token takes {quota['burndown']:g} of the quota." if quota["burndown"] else ""
    return " ".join(part for part in (reserved[quota["reserves_max_tokens"]], weight) if part)


def _contradicted(each: Search) -> str:
    against = each["quota"]["contradicted"]
    if against <= max(2, STRAY * each["requests"]):
        return ""
    return f"{plural(against, 'request')} of {count(each['requests'])} fit no such quota: others share it, or it works otherwise."


def amount(onset: Mapping[str, Any]) -> str:
    """``600 (580–611)``; an end that is not known is ∞."""
    low, high = onset["ci95"]
    return f"{count(round(onset['per_minute']))} ({count(round(low))}–{count(round(high)) if known(high) else '∞'})"
