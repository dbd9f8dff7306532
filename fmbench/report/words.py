"""The sentences of the first page, made of the summary's figures: the answer, what stands behind it, what would change it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fmbench.core.figures.cost import COST
from fmbench.core.figures.registry import of_key, of_objective
from fmbench.core.messages import Message
from fmbench.core.reasons import stops_at
from fmbench.core.steady import BATCH, FEWEST_BATCHES
from fmbench.core.units import DOLLARS
from fmbench.report.blocks import Block, Notice, Points, Text, code, text
from fmbench.report.numbers import (
    DASH,
    TO,
    count,
    figure_value,
    interval,
    known,
    limit_words,
    listed,
    plain,
    plural,
    seconds,
    usd,
)
from fmbench.report.sentences import gap_words
from fmbench.report.study import Cell, Study
from fmbench.report.summary import say

STATUS = {"met": "meets all", "not_met": "fails", "undecided": "undecided", "not_measured": "not measured"}
FEWEST = BATCH * FEWEST_BATCHES
"""Answers that it takes to see whether a cell was steady."""


def title(study: Study) -> str:
    """What the report is about: the models and the bucket of interest."""
    names = [text(study.short(model)) for model in study.models]
    who = listed(names, "or") if 0 < len(names) <= 3 else f"Which of {len(names)} models" if names else "A run without models"
    bucket = study.bucket_asked
    return f"{who} for {bucket_words(bucket)}" if bucket else who


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


def _pick(study: Study, chosen: dict[str, Any], cell: Cell | None) -> str:
    lead = f"**Pick {text(study.short(chosen['model']))} at {plural(chosen['concurrency'], 'user')}.**"
    if cell is None:
        return lead
    e2e = cell["e2e_s"]
    speed = next(
        (f" and answers {_ANSWERED[name]} within {_seconds(e2e, name)}" for name in _ANSWERED if known(e2e.get(name))), ""
    )
    cost = f", at **{usd(paid[0])} per 10,000 transactions**" if (paid := COST.measured(cell)) is not None else ""
    return f"{lead} It meets every objective{speed}{cost}."


_ANSWERED = {"p95": "95 % of requests", "p90": "90 % of requests", "p50": "half of the requests"}


def _seconds(stats: dict[str, Any], quantile: str) -> str:
    span = interval((stats.get("ci95") or {}).get(quantile), stats[quantile])
    return f"{seconds(stats[quantile])}{f' (95 % interval {span[1:-1]})' if span else ''}"


def _against(study: Study, verdict: dict[str, Any]) -> str:
    chosen = verdict["recommendation"]
    runner = chosen.get("runner_up")
    if not runner:
        return _alone({row["status"] for row in verdict["models"] if row["model"] != chosen["model"]})
    name = text(study.short(runner["model"]))
    place = f"{name} at {plural(runner['concurrency'], 'user')}"
    if runner["model"] in (chosen.get("tied_with") or []):
        figure = of_key(chosen["decided_by"]).title
        settled = ", and the cheaper one is chosen" if chosen["cheaper"] else ""
        return f"{place} cannot be told from it by {figure}: the difference is inside the noise{settled}."
    behind = verdict["reason"].runner_up
    gap = gap_words(behind)
    if not gap:
        return f"The runner-up is {place}, whose {behind.figure.title} is not known."
    times = ""
    if behind.figure.unit is DOLLARS and known(behind.ratio) and behind.ratio > 1:
        times = f", {plain(behind.ratio)} times as much"
    return f"The runner-up, {place}, {text(gap)} {behind.figure.unit.per or f'by {behind.figure.title}'}{times}."


def _alone(others: set[str]) -> str:
    """What is known of the models that were not chosen, by their statuses, where none of them meets every objective."""
    if not others - {"not_measured"}:
        return "No other model was measured."
    return f"No other model {'is shown to meet' if 'undecided' in others else 'meets'} every objective."


def picked(study: Study, verdict: dict[str, Any]) -> str:
    """The three sentences of a run that has an answer: what to pick, against what, and how far the run goes."""
    chosen = verdict["recommendation"]
    cell = study.cell(chosen["model"], chosen["bucket"], chosen["concurrency"])
    return " ".join((_pick(study, chosen, cell), _against(study, verdict), _reach(study, verdict)))


def _reach(study: Study, verdict: dict[str, Any]) -> str:
    notes = _limits(verdict)
    end = told(study, notes[0]) if notes else f"Nothing was measured above {plural(max(study.levels), 'user')}."
    certain = verdict["recommendation"].get("certain", True)
    return end if certain else f"{end} It is not certain: another model may yet turn out better."


def _limits(verdict: dict[str, Any]) -> list[Message]:
    """What stops the chosen model from carrying more users: the last of the three sentences."""
    messages: list[Message] = verdict.get("what_would_change") or []
    return [*filter(stops_at, messages)][:1]


def told(study: Study, message: Message) -> str:
    """A message as Markdown, with the report's short names in it."""
    return text(say(message, study.short))


def nearest(study: Study, verdict: dict[str, Any]) -> str:
    """Which cell comes nearest to the objectives where none meets them, and what it fails by."""
    found = verdict.get("nearest") or {}
    if not found.get("fails"):
        return told(study, verdict["reason"])
    place = f"{text(study.short(found['model']))} at {plural(found['concurrency'], 'user')}"
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
    return STATUS[row["status"]]


def _open(study: Study, item: dict[str, Any]) -> str:
    words = objective_words(item["objective"], item["limit"])
    if item.get("requests_needed"):
        return f"{words}, about {count(item['requests_needed'])} requests more"
    return f"{words}, {told(study, item['why']) if item.get('why') else 'too near its limit to tell'}"


def change(study: Study) -> list[Block]:
    """What would change the answer, as points; nothing when nothing is known to."""
    verdict = study.verdict or {}
    said = _limits(verdict) if verdict.get("recommendation") else []
    notes = [told(study, note) for note in verdict.get("what_would_change") or [] if note not in said]
    return [Text("**What would change the answer**"), Points(tuple(notes))] if notes else []


def validity(study: Study) -> Notice:
    """PASS, DEGRADED or INVALID, what was sent and accounted for, and every finding."""
    found = study.summary.get("validity") or {}
    verdict = str(found.get("verdict") or "INVALID")
    kinds: dict[str, Any] = {"PASS": "pass", "DEGRADED": "degraded", "INVALID": "invalid"}
    findings = [finding_words(study, item) for item in found.get("findings") or []]
    nothing = "" if findings else "Nothing to find fault with."
    said = [_accounted(study), _instrument(study), calibration(study), _achieved(study), nothing]
    words = " ".join(part for part in said if part)
    return Notice(kinds.get(verdict, "note"), f"**Can these numbers be trusted? {text(verdict)}.** {words}", tuple(findings))


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
        return f"Instrument error, measured on each request: its first content was {read}; TTFT is by {whose}, without that."
    lag = study.summary.get("instrument_error_s")
    return (
        f"Instrument error at most {seconds(lag)} in 95 % of the seconds (inferred: no kernel stamps here)." if known(lag) else ""
    )


def calibration(study: Study) -> str:
    """What the machine was measured to carry, beside what the plan asked for; nothing where the plan needed no measure."""
    measure = (study.manifest.get("environment") or {}).get("calibration") or {}
    if not measure:
        return ""
    carries, error = plural(measure["users_per_process"], "user"), seconds(measure["max_ttft_error_s"])
    asked = count(measure["asked_per_process"])
    return f"Calibrated for {carries} a load process at ≤ {error} TTFT error; at most {asked} were on one."


def _achieved(study: Study) -> str:
    chosen = study.summary.get("recommendation") or {}
    cell = study.cell(chosen["model"], chosen["bucket"], chosen["concurrency"]) if chosen else None
    reached = (cell or {}).get("achieved_concurrency")
    return f"In flight at the pick: {plain(reached)} of {plural(chosen['concurrency'], 'user')}." if known(reached) else ""


def finding_words(study: Study, item: dict[str, Any]) -> str:
    """A finding: its subject, graver ones marked as such, and what it says."""
    mark = {"error": "error", "warning": "warning"}.get(item["severity"], "")
    subject = text(item["subject"].capitalize())
    return f"**{subject}{f' ({mark})' if mark else ''}:** {told(study, item['message'])}"


def unsteady(cell: Cell) -> bool:
    """Whether the steady part, found from the data, begins inside the cell's measured window."""
    return bool((cell.get("steady") or {}).get("unsteady_s"))


def steadiness(study: Study) -> str:
    """Whether the measured windows and the steady state that the data show agree, and which of the two the figures are of."""
    judged = [cell for cell in study.cells if cell.get("steady") and cell["full_run"]["ok"] >= FEWEST]
    if not judged:
        return ""
    late = [cell for cell in judged if unsteady(cell)]
    if not late:
        found = f"Latency had settled before the measured window began in each of the {plural(len(judged), 'cell')} that can tell"
        return f"{found} (with {FEWEST} answers or more). Every figure is of the measured windows."
    lead = f"In {len(late)} of {plural(len(judged), 'cell')} latency was still changing when the measured window began."
    cure = "The figures are of the whole measured window, in these cells too; a longer load.warmup_s makes the two agree."
    return f"**{lead}** By the data, the steady part begins later. {cure}"


def identity(study: Study) -> str:
    """One line under the title: the run, when, where."""
    manifest = study.manifest
    parts = [f"Run {code(study.summary.get('run_id') or manifest.get('run_id') or DASH)}"]
    if manifest.get("started_at") is not None:
        parts.append(moment(manifest["started_at"]))
    if manifest.get("region"):
        parts.append(text(manifest["region"]))
    if study.config.get("simulator") is not None:
        parts.append("**against the embedded simulator, not AWS**")
    return " · ".join(parts)


def moment(value: Any) -> str:
    """An epoch as ``2026-11-23 20:46 UTC``; text as it is."""
    if not known(value):
        return text(value)
    return datetime.fromtimestamp(float(value), UTC).strftime("%Y-%m-%d %H:%M UTC")
