"""One cell's result: what stands for it in ``summary.json``, and how it does by its objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from fmbench.core.anytime import as_printed, held_whenever_looked
from fmbench.core.cells import MeasuredCell
from fmbench.core.changes import change_in
from fmbench.core.cycles import rate_interval
from fmbench.core.estimands import these_prompts
from fmbench.core.failures import THROTTLES
from fmbench.core.falling import falling_start
from fmbench.core.figures.figure import MET, NOT_MET
from fmbench.core.figures.latencies import LATENCIES, Latency
from fmbench.core.instrument import Instrument, NotCarried, begun_late, believed, instrument_of, not_carried
from fmbench.core.intervals import Interval, dependence, mean_interval
from fmbench.core.money import total_usd
from fmbench.core.objectives import Judgement, Objective, Sample, good, judge, meets, percents_of
from fmbench.core.open_loop import falls_short, open_loop_of
from fmbench.core.scores import quality_of
from fmbench.core.statistics import describe, finite, outline, pair, rates, share
from fmbench.core.steady import steady_state, unsteady_s
from fmbench.core.sums import inner, squares
from fmbench.core.table import Rows
from fmbench.core.whole_requests import judged_requests

PER = 10_000
"""Costs are per 10,000 answers."""


@dataclass(frozen=True, slots=True)
class CellResult:
    """A cell, its judgements and its row of the summary."""

    cell: MeasuredCell
    row: dict[str, Any]
    instrument: Instrument
    judgements: list[Judgement] = field(default_factory=list)

    @property
    def meets(self) -> bool | None:
        """Whether every objective is met; None when undecided, or when the cell was not measured as planned. None is met by a
        cell that answered nothing."""
        found = meets(self.judgements) if self.cell.complete else None
        found = None if found and falls_short(self.cell) else found
        return found if self.row["ok"] or found is False else None

    def judged_with(self, objective: Objective) -> CellResult:
        """The same cell, if one objective had another limit."""
        again = judged(objective, Sample(judged_requests(self.cell), self.row), self.cell, self.instrument)
        return replace(self, judgements=[again if one.objective == objective.name else one for one in self.judgements])


def result_of(
    cell: MeasuredCell,
    objectives: list[Objective],
    dataset: str,
    health: pd.DataFrame,
    percents: Mapping[str, Sequence[float]] | None = None,
) -> CellResult:
    """Everything that is known of a cell: latencies of the ok requests sent in the measured window, rates as time averages.

    ``health``: the load processes' rows, of any time. ``percents``: percentiles to describe a latency by besides the usual ones
    and those of the objectives, by its column.
    """
    counted, whole = cell.rows[cell.rows.measured], judged_requests(cell)
    asked = percents_of(objectives) if percents is None else percents
    latencies = {latency.column: _described(counted.answered, latency, asked) for latency in LATENCIES}
    over_time, quality = rates(cell.rows, cell.windows), quality_of(counted)
    medians = [latencies[latency.column]["p50"] for latency in LATENCIES if latency.from_sending]
    instrument = instrument_of(cell, medians, over_time["in_flight"]["value"], health)
    row = {
        **_identity(cell, dataset),
        **_counts(counted),
        "duration_s": cell.duration_s,
        **_rates(cell, over_time),
        **_tokens(counted),
        **latencies,
        **cost_of(counted).to_dict(whole, objectives),
        "goodput": share(good(whole, objectives), whole.common),
        "quality": None if quality is None else quality.to_dict(),
        "steady": _steady(cell),
        "change": _change(cell, counted),
        "falling_start": _start(cell, counted),
        "these_prompts": these_prompts(counted, asked, PER),
        "instrument": instrument.to_dict(),
        "full_run": _full_run(cell.rows),
        "e2e_by_output_tokens": length_fit(counted),
    }
    sample = Sample(whole, row, quality)
    found_of = [(one, judged(one, sample, cell, instrument)) for one in objectives if len(counted)]
    shown = [judgement for one, judgement in found_of if not one.screen or judgement.status == NOT_MET]
    shown = shown or [judgement for _, judgement in found_of if isinstance(judgement.why, NotCarried)][:1]
    row = held_whenever_looked(row, cell, counted, objectives)
    if cell.block_s is not None:
        shown = as_printed(shown, objectives, row)
    found = CellResult(cell, row, instrument, shown)
    row["meets_objectives"] = found.meets
    row["objectives"] = [judgement.to_dict() for judgement in found.judgements]
    return found


def judged(objective: Objective, sample: Sample, cell: MeasuredCell, instrument: Instrument) -> Judgement:
    """How an objective stands, as far as the load processes can be believed: a request that an open loop began late has made
    somebody wait, but a limit that is missed for that alone is not missed by the model."""
    found = believed(judge(objective, sample), objective, instrument)
    if found.status == MET and falls_short(cell):
        return not_carried(found, cell.dropped)
    if found.status != NOT_MET or cell.rate_per_min is None or objective.percentile is None:
        return found
    from_sending = judge(objective, replace(sample, rows=judged_requests(cell, planned=False)))
    return found if from_sending.status == NOT_MET else begun_late(found, instrument)


def _described(answered: Rows, latency: Latency, percents: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    return describe(answered.number(latency.column), answered.common, percents.get(latency.column, ()))


def _identity(cell: MeasuredCell, dataset: str) -> dict[str, Any]:
    return {
        "model": cell.model,
        "model_id": cell.model_id,
        "dataset": next(iter(cell.rows.words["dataset"].counts()), dataset),
        "bucket": cell.bucket,
        "concurrency": cell.concurrency,
        "status": cell.status,
        "reason": cell.reason,
        "blocks": cell.blocks,
        **({} if cell.route is None else {"route": cell.route}),
        **({} if cell.rate_per_min is None else {"rate_per_min": cell.rate_per_min, "open_loop": open_loop_of(cell)}),
    }


def _counts(counted: Rows) -> dict[str, Any]:
    ended = counted.ok | counted.failed
    known = counted.ok & (counted.words["answered"].codes >= 0)
    failures = counted.words["failure"][counted.failed].counts()
    throttled = sum(count for kind, count in failures.items() if kind in THROTTLES)
    return {
        "requests": len(counted),
        "ok": int(counted.ok.sum()),
        "failed": int(counted.failed.sum()),
        "abandoned": int(len(counted) - ended.sum()),
        "failures": failures,
        "error_rate": share(counted.failed[ended], counted[ended].common),
        "throttled_share": throttled / int(ended.sum()) if ended.any() else None,
        "answered_share": share(counted.text[known], counted[known].common),
        "answered": counted.words["answered"][counted.ok].counts(),
        "stop_reasons": counted.answered.words["stop_reason"].counts(),
    }


def _rates(cell: MeasuredCell, over_time: dict[str, Any]) -> dict[str, Any]:
    def times(name: str, factor: float) -> tuple[float | None, list[float] | None]:
        value, ci95 = over_time[name]["value"], over_time[name]["ci95"]
        return (None if value is None else value * factor), (None if ci95 is None else [end * factor for end in ci95])

    per_minute, per_minute_ci95 = times("completions", 60)
    if per_minute is not None and (by_cycles := rate_interval(cell, per_minute)) is not None:
        per_minute_ci95 = pair(by_cycles)
    return {
        "achieved_concurrency": over_time["in_flight"]["value"],
        "transactions_per_minute": per_minute,
        "transactions_per_minute_ci95": per_minute_ci95,
        "output_tokens_per_s": over_time["output_tokens"]["value"],
        "output_tokens_per_s_ci95": over_time["output_tokens"]["ci95"],
    }


def _tokens(counted: Rows) -> dict[str, Any]:
    answered = counted.answered

    def mean(name: str) -> float | None:
        known = answered.known(name)
        return finite(known.mean()) if len(known) else None

    def total(name: str) -> int | None:
        known = answered.known(name)
        return int(known.sum()) if len(known) else None

    return {
        "input_tokens_mean": mean("input_tokens"),
        "output_tokens_mean": mean("output_tokens"),
        "prompt_tokens_mean": mean("prompt_tokens"),
        "cache_read_tokens": total("cache_read_tokens"),
        "cache_write_tokens": total("cache_write_tokens"),
    }


@dataclass(frozen=True, slots=True)
class Cost:
    """What a cell's measured requests cost; ``total`` None when the price of any answer is not known."""

    total: float | None
    per_10k: tuple[float, Interval] | None

    def to_dict(self, counted: Rows, objectives: list[Objective]) -> dict[str, Any]:
        """The summary's cost columns. A good answer is text, within every latency objective.

        ``counted``: requests as objectives see them.
        """
        answers = int(good(counted, objectives).sum())
        return {
            "usd": self.total,
            "usd_per_10k": None if self.per_10k is None else self.per_10k[0],
            "usd_per_10k_ci95": None if self.per_10k is None else pair(self.per_10k[1]),
            "usd_per_10k_good": None if self.total is None or not answers else self.total / answers * PER,
        }


def cost_of(counted: Rows) -> Cost:
    """The cost of all measured requests, and for 10,000 answers, which pay for failed requests that were charged."""
    usd, ok = counted.number("usd"), counted.ok
    paid, common = usd[ok], counted.answered.common
    if not len(usd) or np.isnan(paid).any() or np.isnan(usd).all():
        return Cost(None, None)
    total = total_usd(usd)
    if not len(paid):
        return Cost(total, None)
    lost = total_usd(usd[~ok]) / len(paid)
    low, high = mean_interval(paid, dependence(paid, common)) or (float(paid.mean()), float(paid.mean()))
    return Cost(total, (total / len(paid) * PER, (max(0.0, low + lost) * PER, (high + lost) * PER)))


def _steady(cell: MeasuredCell) -> dict[str, Any] | None:
    """Where the warm-up of a cell of one block ended by the data, and how much of the measured window lies before that: by the
    end-to-end latency from the first request on."""
    if not cell.windows or cell.blocks != 1:
        return None
    start, end = cell.windows[0]
    rows = cell.rows[cell.rows.ok & (cell.rows.at < end)]
    series = rows.number("e2e_s")
    found = steady_state(rows.at, series) if len(cell.windows) == 1 else None
    if found is None:
        return {"from": start, "to": end, "unsteady_s": 0.0, "e2e_before_s": None, "e2e_after_s": None}
    late = unsteady_s(found, rows.at, series, start, end)
    return {"from": start + late, "to": end, "unsteady_s": late, "e2e_before_s": found.before, "e2e_after_s": found.after}


def _change(cell: MeasuredCell, counted: Rows) -> dict[str, Any] | None:
    """A clear change of the end-to-end latency inside the window of a cell of one block, ``at_s`` seconds after it began."""
    if cell.blocks != 1 or len(cell.windows) != 1:
        return None
    rows = counted[counted.ok & ~np.isnan(counted.number("e2e_s"))]
    found = change_in(rows.at, rows.number("e2e_s"))
    if found is None:
        return None
    at = max(0.0, found.at - cell.windows[0][0])
    return {"kind": found.kind, "at_s": at, "before_s": found.before, "after_s": found.after}


def _start(cell: MeasuredCell, counted: Rows) -> dict[str, Any] | None:
    """How the end-to-end latency fell at the start of the window of a cell of one block, and the chance of that."""
    if cell.blocks != 1 or len(cell.windows) != 1:
        return None
    begin, end = cell.windows[0]
    rows = counted[counted.ok & ~np.isnan(counted.number("e2e_s"))]
    found = falling_start(rows.at, rows.number("e2e_s"), begin, end - begin)
    return None if found is None else asdict(found)


def _full_run(rows: Rows) -> dict[str, Any]:
    """The same counts and latencies over all phases, warm-up and drain included."""
    return {
        "requests": len(rows),
        "ok": int(rows.ok.sum()),
        "failed": int(rows.failed.sum()),
        **{latency.column: outline(rows.number(latency.column)[rows.ok]) for latency in LATENCIES},
    }


def length_fit(counted: Rows) -> dict[str, float] | None:
    """``{fixed_s, per_token_s, n}``: the line e2e = fixed + per_token * output tokens by least squares; None without a spread."""
    e2e, tokens = counted.number("e2e_s")[counted.ok], counted.number("output_tokens")[counted.ok]
    known = ~np.isnan(e2e) & ~np.isnan(tokens)
    e2e, tokens = e2e[known], tokens[known]
    if len(e2e) < 3 or not float(np.var(tokens)) > 0:
        return None
    spread = tokens - tokens.mean()
    slope = inner(spread, e2e - e2e.mean()) / squares(spread)
    return {"fixed_s": float(e2e.mean()) - slope * float(tokens.mean()), "per_token_s": slope, "n": len(e2e)}


def by_model(results: list[CellResult]) -> dict[str, list[CellResult]]:
    """The cells of each model, in their order."""
    groups: dict[str, list[CellResult]] = {}
    for found in results:
        groups.setdefault(found.cell.model, []).append(found)
    return groups


def token_ratios(measured: list[CellResult]) -> dict[str, float]:
    """By model: the service's count of prompt tokens, cached ones included, over the local count."""
    ratios = {}
    for model, cells in by_model(measured).items():
        local = counted = 0.0
        for found in cells:
            rows = found.cell.rows[found.cell.rows.measured & found.cell.rows.ok]
            parts = [np.nan_to_num(rows.number(f"cache_{way}_tokens")) for way in ("read", "write")]
            service = rows.number("input_tokens") + parts[0] + parts[1]
            known = ~np.isnan(service) & (rows.number("prompt_tokens") > 0)
            local += float(rows.number("prompt_tokens")[known].sum())
            counted += float(service[known].sum())
        if local:
            ratios[model] = counted / local
    return ratios
