"""Whether the numbers can be trusted: PASS, DEGRADED or INVALID, what was accounted for, and every finding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fmbench.core.cells import level_of
from fmbench.report.blocks import Block, Fold, Notice, Points, text
from fmbench.report.numbers import (
    count,
    known,
    plain,
    plural,
    seconds,
)
from fmbench.report.study import Study
from fmbench.report.words import (
    calibration,
    told,
)

MEANING = {
    "PASS": "these numbers can be trusted",
    "DEGRADED": "these numbers can be trusted with the reservations below",
    "INVALID": "these numbers cannot be trusted",
}
MOST_FINDINGS = 6
"""Findings on the first page; the gravest come first, the others open on a click."""


def trust(study: Study) -> list[Block]:
    """The verdict with its gravest findings; the others open on a click."""
    notice = _validity(study)
    shown, rest = notice.points[:MOST_FINDINGS], notice.points[MOST_FINDINGS:]
    folded = [Fold(f"{plural(len(rest), 'more finding')}", (Points(rest),))] if rest else []
    return [replace(notice, points=shown), *folded]


def _validity(study: Study) -> Notice:
    """PASS, DEGRADED or INVALID, what was sent and accounted for, and every finding."""
    found = study.summary.get("validity") or {}
    verdict = str(found.get("verdict") or "INVALID")
    kinds: dict[str, Any] = {"PASS": "pass", "DEGRADED": "degraded", "INVALID": "invalid"}
    findings = [_finding(study, item) for item in found.get("findings") or []]
    nothing = "" if findings else "Nothing to find fault with."
    said = [_accounted(study), _instrument(study), calibration(study), _achieved(study), nothing]
    words = " ".join(part for part in said if part)
    return Notice(kinds.get(verdict, "note"), f"**{text(verdict)}: {MEANING.get(verdict, '')}.** {words}", tuple(findings))


def is_invalid(study: Study) -> bool:
    """Whether the numbers are not to be used."""
    return bool((study.summary.get("validity") or {}).get("verdict") == "INVALID")


def _accounted(study: Study) -> str:
    sums = study.summary.get("accounting") or {}
    if not known(sums.get("sent")):
        return ""
    ended = sums.get("by_outcome") or {}
    extra = [f"{count(sums[name])} {name}" for name in ("abandoned", "lost", "duplicated", "dropped") if sums.get(name)]
    if sums.get("locust_requests") is not None and not sums.get("locust_differs"):
        extra.append("Locust counts the same")
    more = f" ({', '.join(extra)})" if extra else ""
    return f"{plural(sums['sent'], 'request')} sent, {count(ended.get('ok', 0) + ended.get('failed', 0))} accounted for{more}."


def _instrument(study: Study) -> str:
    late = study.summary.get("lateness_s")
    if late:
        whose = (
            "the kernel's stamps" if late["clock"] == "kernel" else f"the kernel's stamps for {count(late['requests'])} requests"
        )
        read = f"read {seconds(late['p50'])} (median) to {seconds(late['p99'])} (p99) after it arrived"
        what = "latencies are" if late.get("ends") else "TTFT is"
        return f"Instrument error, measured on each request: its first content was {read}; {what} by {whose}, without that."
    lag = study.summary.get("instrument_error_s")
    return (
        f"Instrument error at most {seconds(lag)} in 95 % of the seconds (inferred: no kernel stamps here)." if known(lag) else ""
    )


def _achieved(study: Study) -> str:
    chosen = study.summary.get("recommendation") or {}
    cell = study.cell(chosen["model"], chosen["bucket"], level_of(chosen)) if chosen else None
    reached = (cell or {}).get("achieved_concurrency")
    if not known(reached):
        return ""
    most = "" if chosen.get("rate_per_min") is not None else f" of {plural(chosen['concurrency'], 'user')}"
    return f"In flight at the pick: {plain(reached)}{most}."


def _finding(study: Study, item: dict[str, Any]) -> str:
    """A finding: its subject, graver ones marked as such, and what it says."""
    mark = {"error": "error", "warning": "warning"}.get(item["severity"], "")
    subject = text(item["subject"].capitalize())
    return f"**{subject}{f' ({mark})' if mark else ''}:** {told(study, item['message'])}"
