"""Can the numbers be trusted? Findings, each with its cure, and the verdict that follows: PASS, DEGRADED or INVALID.

``error`` findings make a run INVALID, ``warning`` findings DEGRADED; a ``note`` is worth knowing and takes nothing away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fmbench.core.instrument import INVALID, Doubt
from fmbench.core.intervals import FEWEST_BLOCKS
from fmbench.core.network import distance
from fmbench.core.reconcile import differences
from fmbench.core.results import CellResult, by_model, token_ratios
from fmbench.core.samples import samples_needed
from fmbench.core.wording import amount, count_of, joined

ERROR, WARNING, NOTE = "error", "warning", "note"
VERDICTS = {ERROR: "INVALID", WARNING: "DEGRADED", NOTE: "PASS"}

ACHIEVED_SHARE = 0.9
READ_AS = "Read these cells by the achieved number"
FAILING_SHARE = 0.05
"""From this share of failed requests on, their users' pauses are why fewer were in flight."""
UNSTEADY_SHARE = 0.1
TRUNCATED_SHARE = 0.05
LENGTH_RATIO = 1.3
TOKEN_RATIO = 0.1
THROTTLED_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a run: how grave, what about, and what to do."""

    severity: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the checks look at."""

    results: list[CellResult]
    manifest: Mapping[str, Any]
    own_counts: Mapping[str, Mapping[str, int]]
    """Our counts by Locust's request names."""

    @property
    def measured(self) -> list[CellResult]:
        """The cells that have measured requests."""
        return [found for found in self.results if found.row["requests"]]

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration as resolved."""
        return self.manifest.get("config") or {}


Check = Callable[[Evidence], Iterator[Finding]]


def validity(evidence: Evidence) -> dict[str, Any]:
    """``{verdict, findings: [{severity, subject, message}]}``, the gravest first."""
    found = [finding for check in CHECKS for finding in check(evidence)]
    order = list(VERDICTS)
    found.sort(key=lambda finding: order.index(finding.severity))
    return {
        "verdict": VERDICTS[found[0].severity] if found else "PASS",
        "findings": [asdict(finding) for finding in found],
    }


def name_of(found: CellResult) -> str:
    """``nova-lite, en_500-1000, 4 users``."""
    return f"{found.cell.model}, {found.cell.bucket}, {count_of(found.cell.concurrency, 'user')}"


def _listed(names: list[str], most: int = 3) -> str:
    return joined(names) if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most} more"


def nothing_measured(evidence: Evidence) -> Iterator[Finding]:
    """A run without a measured request says nothing."""
    if not any(found.row["ok"] for found in evidence.results):
        yield Finding(
            ERROR, "requests", "No request was answered in a measured window: there is nothing to report. See the failures."
        )


def unaccounted(evidence: Evidence) -> Iterator[Finding]:
    """Requests whose end nobody saw, and rows of requests that a worker sent and that are missing."""
    counts = evidence.manifest.get("accounting") or {}
    sent = counts.get("sent") or 0
    for key, meaning in (("lost", "are missing from the records"), ("abandoned", "have no known end")):
        missing = counts.get(key) or 0
        if missing:
            severity = ERROR if missing > 0.01 * sent else WARNING
            yield Finding(
                severity,
                "accounting",
                f"{missing:,} of {sent:,} requests {meaning}. Their cells are better run again (--resume).",
            )
    if counts.get("dropped"):
        message = (
            f"{counts['dropped']:,} planned requests could not be started. Use more load processes (--processes), or fewer users."
        )
        yield Finding(WARNING, "accounting", message)


def ended_early(evidence: Evidence) -> Iterator[Finding]:
    """Why the load ended, when it did not run to the end of its plan."""
    ended = evidence.manifest.get("ended")
    if ended not in (None, "done"):
        message = evidence.manifest.get("message") or f"the load ended before its plan was done ({ended})"
        text = f"Ended early: {str(message).rstrip('.')}. --resume goes on with the cells that are missing."
        yield Finding(WARNING, "load", text)


def workers_lost(evidence: Evidence) -> Iterator[Finding]:
    """Load processes that were gone before the end: their share of the users went with them."""
    lost = [str(worker.get("id")) for worker in evidence.manifest.get("workers") or [] if worker.get("lost")]
    if lost or evidence.manifest.get("ended") == "worker_lost":
        who = f"{len(lost)} load processes" if len(lost) > 1 else "A load process"
        message = f"{who} {'were' if len(lost) > 1 else 'was'} lost{f' ({joined(lost)})' if lost else ''}."
        yield Finding(ERROR, "workers", f"{message} Cells that it took part in are not judged; look at its log and memory.")


def cells_not_run(evidence: Evidence) -> Iterator[Finding]:
    """Cells that were skipped, cut or spoilt."""
    for status, said in (("stopped", "cut short"), ("invalid", "spoilt"), ("skipped", "left out")):
        by_reason: dict[str, list[str]] = {}
        for found in evidence.results:
            if found.cell.status == status:
                by_reason.setdefault(found.cell.reason or "", []).append(name_of(found))
        for reason, cells in by_reason.items():
            why = f" ({reason})" if reason else ""
            yield Finding(WARNING, "cells", f"{count_of(len(cells), 'cell')} {said}{why}: {_listed(cells)}. Not judged.")


def against_locust(evidence: Evidence) -> Iterator[Finding]:
    """Locust counted the same requests by itself; a difference means that one of the two is wrong."""
    found = differences(evidence.own_counts, evidence.manifest)
    if found:
        yield Finding(WARNING, "counts", f"Counts differ: {_listed(found)}. The records are what this report is made of.")


def instrument(evidence: Evidence) -> Iterator[Finding]:
    """Cells in which the load processes were late or busy: a finding a subject, about the cell where it is gravest."""
    doubts = [(doubt, found) for found in evidence.measured for doubt in found.instrument.doubts]
    spoilt = [found for found in evidence.measured if found.instrument.verdict == INVALID]
    for subject in dict.fromkeys(doubt.subject for doubt, _ in doubts):
        about = [(doubt, found) for doubt, found in doubts if doubt.subject == subject]
        worst, where = max(about, key=lambda pair: (pair[0].verdict == INVALID, pair[0].size))
        grave = worst.verdict == INVALID and 2 * len(spoilt) >= len(evidence.measured)
        cells = f"In {count_of(len(about), 'cell')}, at worst {name_of(where)}: {worst.message}"
        yield Finding(ERROR if grave else WARNING, subject, f"{cells} {worst.cure}{_spoilt(about)}")


def _spoilt(about: list[tuple[Doubt, CellResult]]) -> str:
    """What follows for the cells that a doubt is about."""
    names = [name_of(found) for doubt, found in about if doubt.verdict == INVALID]
    return f" INVALID, so nothing is held against the model there: {_listed(names)}." if names else ""


def beyond_calibration(evidence: Evidence) -> Iterator[Finding]:
    """A plan that put more users on a load process than the machine was measured to carry."""
    measure = (evidence.manifest.get("environment") or {}).get("calibration") or {}
    asked, carries = measure.get("asked_per_process"), measure.get("users_per_process")
    if asked is not None and carries is not None and asked > carries:
        stated = f"at a TTFT error of at most {amount(measure['max_ttft_error_s'], 's')}"
        message = f"Up to {asked} users were on one load process; by calibration it carries {carries} {stated}."
        yield Finding(NOTE, "calibration", f"{message} Use more of them (--processes).")


def from_afar(evidence: Evidence) -> Iterator[Finding]:
    """How long the network takes to the endpoint and back, and whether the load came from another region."""
    found = distance(evidence.manifest)
    if found is not None:
        far, message = found
        yield Finding(WARNING if far else NOTE, "network", message)


def fewer_users(evidence: Evidence) -> Iterator[Finding]:
    """Cells in which fewer requests were in flight than users were asked for, apart from those whose users met failures."""
    short = [found for found in evidence.measured if found.row["ok"] and _achieved(found) < ACHIEVED_SHARE]
    failing = [found for found in short if found.row["error_rate"]["value"] > FAILING_SHARE]
    able = [found for found in short if found not in failing]
    if able:
        yield Finding(WARNING, "concurrency", f"{_fewer(able)}. {READ_AS}; more load processes may help.")
    if failing:
        yield Finding(NOTE, "concurrency", f"{_fewer(failing)}: users pause after a failure. {READ_AS}.")


def _fewer(short: list[CellResult]) -> str:
    worst = min(short, key=_achieved)
    reached = f"{worst.row['achieved_concurrency']:.1f} of {worst.cell.concurrency} in {name_of(worst)}"
    return f"In {count_of(len(short), 'cell')} fewer requests were in flight than users asked for, at worst {reached}"


def _achieved(found: CellResult) -> float:
    reached = found.row["achieved_concurrency"]
    return 1.0 if reached is None else float(reached) / found.cell.concurrency


def not_steady(evidence: Evidence) -> Iterator[Finding]:
    """Windows that began before the latency had settled."""
    late = [found for found in evidence.measured if _unsteady(found) > UNSTEADY_SHARE]
    if late:
        worst = max(late, key=lambda found: found.row["steady"]["unsteady_s"])
        seconds = amount(worst.row["steady"]["unsteady_s"], "s")
        where = f"at worst for {seconds} in {name_of(worst)}"
        message = f"In {count_of(len(late), 'cell')} the latency was still changing when the window began, {where}."
        yield Finding(WARNING, "steady state", f"{message} Raise load.warmup_s.")


def _unsteady(found: CellResult) -> float:
    steady = found.row["steady"]
    return 0.0 if steady is None or not found.cell.duration_s else float(steady["unsteady_s"]) / found.cell.duration_s


def small_samples(evidence: Evidence) -> Iterator[Finding]:
    """Cells too small for a p95."""
    needed = samples_needed(0.95)
    small = [found for found in evidence.measured if found.row["ok"] < needed]
    if small:
        least = min(found.row["ok"] for found in small)
        cells = f"{count_of(len(small), 'cell')} of {len(evidence.measured)}"
        message = (
            f"{cells} {'has' if len(small) == 1 else 'have'} fewer than the {needed} answers that a p95 takes (least: {least})."
        )
        yield Finding(NOTE, "sample size", f"{message} Raise load.min_requests or load.duration_s, or set load.until: decided.")


def few_repeats(evidence: Evidence) -> Iterator[Finding]:
    """Cells with repeats, but too few of them to tell how one hour differs from the next."""
    counts = {found.cell.blocks for found in evidence.measured if 1 < found.cell.blocks < FEWEST_BLOCKS}
    if counts:
        much = f"{min(counts)} repeats" if len(counts) == 1 else f"{min(counts)} to {max(counts)} repeats"
        message = f"{much} of a cell do not tell how hours differ: where they do, its intervals are too narrow."
        yield Finding(NOTE, "repeats", f"{message} With load.repeats of {FEWEST_BLOCKS} or more they hold.")


def cached(evidence: Evidence) -> Iterator[Finding]:
    """Tokens read from a prompt cache although each prompt was salted."""
    tokens = sum(found.row["cache_read_tokens"] or 0 for found in evidence.measured)
    if tokens and evidence.config.get("cache", "salt") == "salt":
        message = f"{tokens:,} prompt tokens came from a cache although every prompt was salted: latency and cost are flattered."
        yield Finding(WARNING, "prompt cache", f"{message} Look for a guardrail, router or system prompt that is cached.")


def thin_buckets(evidence: Evidence) -> Iterator[Finding]:
    """What the preparation of prompts warned of."""
    for warning in evidence.manifest.get("warnings") or []:
        yield Finding(NOTE, "prompts", str(warning))


def truncated(evidence: Evidence) -> Iterator[Finding]:
    """Answers that ended because they reached max_tokens."""
    for model, cells in by_model(evidence.measured).items():
        answers = sum(found.row["ok"] for found in cells)
        cut = sum(found.row["stop_reasons"].get("max_tokens", 0) for found in cells)
        if answers and cut / answers > TRUNCATED_SHARE:
            message = f"{100 * cut / answers:.0f} % of the answers of {model} ended at max_tokens."
            yield Finding(NOTE, "answers", f"{message} Raise inference.max_tokens if whole answers are wanted.")


def unlike_lengths(evidence: Evidence) -> Iterator[Finding]:
    """Models that answer at different length: end-to-end latency and cost then compare unlike work."""
    unlike: list[tuple[str, str, float, str]] = []
    for bucket in dict.fromkeys(found.cell.bucket for found in evidence.measured):
        cells = by_model(
            [found for found in evidence.measured if found.cell.bucket == bucket and found.row["output_tokens_mean"]]
        )
        means = {model: float(np.mean([found.row["output_tokens_mean"] for found in of])) for model, of in cells.items()}
        if len(means) > 1 and max(means.values()) > LENGTH_RATIO * min(means.values()):
            longest, shortest = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
            unlike.append((bucket, longest, means[longest] / means[shortest], shortest))
    if unlike:
        bucket, longest, ratio, shortest = max(unlike, key=lambda found: found[2])
        most = f"{longest} with {ratio:.1f} times as many tokens as {shortest}"
        where = bucket if len(unlike) == 1 else f"most in {bucket}, of {len(unlike)} buckets"
        message = f"Models answer at different length: {most} ({where})."
        yield Finding(NOTE, "answer length", f"{message} Compare end-to-end latency at equal length (the fitted line), or TPOT.")


def token_count(evidence: Evidence) -> Iterator[Finding]:
    """The local count that put prompts into buckets, against the service's own."""
    off = {model: ratio for model, ratio in token_ratios(evidence.measured).items() if abs(ratio - 1) > TOKEN_RATIO}
    if off:
        groups: dict[str, list[str]] = {}
        for model, ratio in off.items():
            groups.setdefault(f"{ratio:.2f}", []).append(model)
        counts = joined(f"{ratio} times as many on {joined(models)}" for ratio, models in groups.items())
        message = f"The service counts other numbers of prompt tokens than the local tokenizer that made the buckets: {counts}."
        yield Finding(NOTE, "tokens", f"{message} Read a bucket as a group of prompts, not as a model's own token counts.")


def throttled(evidence: Evidence) -> Iterator[Finding]:
    """Models that met a quota: then the quota was measured, not the model."""
    for model, cells in by_model(evidence.measured).items():
        hit = [found for found in cells if (found.row["throttled_share"] or 0) > THROTTLED_SHARE]
        if hit:
            lowest = min(found.cell.concurrency for found in hit)
            worst = max(found.row["throttled_share"] for found in hit)
            much = f"from {count_of(lowest, 'user')} on (up to {100 * worst:.0f} % of the requests)"
            message = f"{model} was throttled {much}: the limit is the quota, not the model."
            yield Finding(NOTE, "throttling", f"{message} Ask for a higher quota, lower max_tokens, or read the levels below.")


def no_price(evidence: Evidence) -> Iterator[Finding]:
    """Models whose cost is not known."""
    models = [
        model for model, cells in by_model(evidence.measured).items() if any(f.row["ok"] and f.row["usd"] is None for f in cells)
    ]
    if models:
        yield Finding(
            NOTE,
            "price",
            f"The price of {joined(models)} is not known, so no cost is given. Set it in the configuration's pricing.",
        )


CHECKS: tuple[Check, ...] = (
    nothing_measured,
    unaccounted,
    ended_early,
    workers_lost,
    cells_not_run,
    against_locust,
    instrument,
    beyond_calibration,
    from_afar,
    fewer_users,
    not_steady,
    cached,
    throttled,
    small_samples,
    few_repeats,
    thin_buckets,
    truncated,
    unlike_lengths,
    token_count,
    no_price,
)
"""Every check; a new one is a new row here."""
