"""Objectives as tests: met, not met, or undecided with the requests that it would still take.

- A percentile's limit (``ttft_p95_s: 1.5``) asks whether at least 95 % of the answers came within 1.5 s. The share within is a
  binomial sample over the effective number of requests: met when its 95 % interval lies at or above 0.95, not met when below.
  Answers are the ok requests, and those that timed out, whose true latency is only known to be longer: they count as not within.
- ``error_rate``: met when at most so many failed of at least 20, not met when the 95 % interval lies above the limit.
- ``usd_per_10k``, ``transactions_per_minute``, ``quality_min``: decided when the 95 % interval lies on one side of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from fmbench.core.failures import TIMEOUTS
from fmbench.core.intervals import (
    Dependence,
    Interval,
    indicator_dependence,
    quantile_dependence,
    quantile_interval,
    share_interval,
)
from fmbench.core.metrics import BY_KEY
from fmbench.core.quantiles import TAIL, Floats, quantile_of_sorted, samples_needed
from fmbench.core.scores import Quality
from fmbench.core.table import Flags, Rows

MET, NOT_MET, UNDECIDED = "met", "not_met", "undecided"
FEWEST_FOR_ERRORS = 20
MOST_TO_ASK_FOR = 1_000_000
"""An objective that would take more requests than this has no number of them: it cannot be told from its limit."""

_LATENCY = re.compile(rf"({'|'.join(BY_KEY)})_p(\d+)_s")


@dataclass(frozen=True, slots=True)
class Objective:
    """A limit by its configuration key."""

    name: str
    limit: float

    @property
    def latency(self) -> tuple[str, float] | None:
        """The metric's key and the quantile's share, of a limit on a latency."""
        match = _LATENCY.fullmatch(self.name)
        return None if match is None else (match[1], int(match[2]) / 100)


@dataclass(frozen=True, slots=True)
class Judgement:
    """How an objective stands in one cell. ``by``: how far its value is beyond the limit, as a share of it."""

    objective: str
    limit: float
    status: str
    value: float | None = None
    ci95: list[float] | None = None
    by: float | None = None
    requests_needed: int | None = None
    """How many more it would take, at what was seen so far; None when decided, or when no number would do."""
    why: str | None = None
    """Why nothing can be said, when it is not the number of requests."""
    within: float | None = None
    """For a latency: the share of the answers within the limit."""

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the summary."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one cell has to be judged by: its measured requests in the order of time, and its figures with their intervals."""

    rows: Rows
    usd_per_10k: tuple[float, Interval] | None = None
    transactions_per_minute: tuple[float, Interval] | None = None
    quality: Quality | None = None


def objectives_of(config: Mapping[str, Any]) -> list[Objective]:
    """The limits of a configuration's ``objectives`` section."""
    limits = {name: limit for name, limit in config.items() if name not in ("bucket", "prefer") and limit is not None}
    return [Objective(name, float(limit)) for name, limit in limits.items() if name in SIMPLE or _LATENCY.fullmatch(name)]


def judge(objective: Objective, sample: Sample) -> Judgement:
    """How ``objective`` stands in the cell that ``sample`` is of."""
    latency = objective.latency
    if latency is not None:
        return _judge_latency(objective, *latency, sample.rows)
    return SIMPLE[objective.name](objective, sample)


def meets(judgements: list[Judgement]) -> bool | None:
    """All met, one not met, or (None) undecided."""
    statuses = {judgement.status for judgement in judgements}
    if NOT_MET in statuses:
        return False
    return None if UNDECIDED in statuses else True


def good(rows: Rows, objectives: list[Objective]) -> Flags:
    """Which requests gave a whole answer within every latency limit; of several limits on one metric the widest counts."""
    flags = rows.ok
    widest: dict[str, float] = {}
    for objective in objectives:
        if objective.latency is not None:
            key = objective.latency[0]
            widest[key] = max(widest.get(key, 0.0), objective.limit)
    for key, limit in widest.items():
        flags = flags & (rows.number(BY_KEY[key].column) <= limit)
    return flags


def answered_latencies(rows: Rows, key: str) -> tuple[Floats, Floats | None]:
    """A metric of the answers in the order of time, and their blocks; infinite for a request that timed out before the metric was
    seen."""
    values = rows.number(BY_KEY[key].column)
    counted = rows.ok
    if key != "tpot":
        late = _timed_out(rows)
        seen = (key == "ttft") & ~np.isnan(values)
        values = np.where(late & ~seen, np.inf, values)
        counted = counted | late
    counted = counted & ~np.isnan(values)
    return values[counted], None if rows.blocks is None else rows.blocks[counted]


def _timed_out(rows: Rows) -> Flags:
    failure = rows.words["failure"]
    kinds = [failure.names.index(kind) for kind in TIMEOUTS if kind in failure.names]
    return np.isin(failure.codes, kinds)


def _judge_latency(objective: Objective, key: str, wanted: float, rows: Rows) -> Judgement:
    values, blocks = answered_latencies(rows, key)
    if not np.isfinite(values).any() and rows.ok.any():
        why = "no answer of this cell has this latency (an API that does not stream has no first token)"
        return Judgement(objective.name, objective.limit, UNDECIDED, why=why)
    if not len(values):
        needed = samples_needed(wanted)
        return Judgement(objective.name, objective.limit, UNDECIDED, requests_needed=needed, why="no request was answered")
    flags = values <= objective.limit
    within, known = int(flags.sum()), indicator_dependence(flags, blocks)
    low, high = share_interval(within, known)
    status = MET if low >= wanted else NOT_MET if high < wanted else UNDECIDED
    needed_more = _more(within / len(values), wanted, known) if status == UNDECIDED else None
    found = _found_quantile(values, blocks, wanted, status)
    by = None if found[0] is None else _beyond(found[0] / objective.limit)
    return Judgement(objective.name, objective.limit, status, *found, by, needed_more, within=within / len(values))


def _found_quantile(values: Floats, blocks: Floats | None, wanted: float, status: str) -> tuple[float | None, list[float] | None]:
    """The quantile and its interval, where the sample carries them; the bare quantile where the limit is clearly passed."""
    ascending = np.sort(values)
    value = quantile_of_sorted(ascending, wanted)
    if not math.isfinite(value) or (len(values) < samples_needed(wanted) and status != NOT_MET):
        return None, None
    if len(values) < samples_needed(wanted):
        return value, None
    interval = quantile_interval(ascending, wanted, quantile_dependence(values, ascending, wanted, blocks))
    return value, None if interval is None or not np.isfinite(interval).all() else list(interval)


def _beyond(ratio: float) -> float:
    return max(0.0, ratio - 1)


def _more(seen: float, wanted: float, known: Dependence) -> int | None:
    """How many more requests would decide, if the share within stays what was seen."""

    def decided(trials: int) -> bool:
        hits = seen * trials
        low = 0.0 if seen == 0 else float(special.betaincinv(hits, trials - hits + 1, TAIL))
        high = 1.0 if seen == 1 else float(special.betaincinv(hits + 1, trials - hits, 1 - TAIL))
        return low >= wanted or high < wanted

    trials = _first(decided, max(1, math.floor(known.effective)))
    return None if trials is None else max(1, math.ceil((trials - known.effective) * known.design_effect))


def _first(decided: Callable[[int], bool], start: int) -> int | None:
    """The smallest number from ``start`` on that decides; None beyond ``MOST_TO_ASK_FOR``."""
    high = start
    while not decided(high):
        high *= 2
        if high > MOST_TO_ASK_FOR:
            return None
    low = max(start, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle + 1, high)
    return high


def _judge_errors(objective: Objective, sample: Sample) -> Judgement:
    ended = sample.rows[sample.rows.ok | sample.rows.failed]
    flags = ended.failed
    failed, count = int(flags.sum()), len(flags)
    if not count:
        return Judgement(objective.name, objective.limit, UNDECIDED, requests_needed=FEWEST_FOR_ERRORS, why="no request ended")
    known = indicator_dependence(flags, ended.blocks)
    rate = failed / count
    low, high = share_interval(failed, known)
    if low > objective.limit:
        status, needed = NOT_MET, None
    elif rate <= objective.limit and count >= FEWEST_FOR_ERRORS:
        status, needed = MET, None
    else:
        status, needed = UNDECIDED, _more_errors(rate, objective.limit, known)
    by = _beyond(rate / objective.limit) if objective.limit else rate
    return Judgement(objective.name, objective.limit, status, rate, [low, high], by, needed)


def _more_errors(rate: float, limit: float, known: Dependence) -> int | None:
    if rate <= limit:
        return FEWEST_FOR_ERRORS - known.count

    def refuted(trials: int) -> bool:
        return float(special.betaincinv(rate * trials, trials - rate * trials + 1, TAIL)) > limit

    trials = _first(refuted, max(1, math.floor(known.effective)))
    return None if trials is None else max(1, math.ceil((trials - known.effective) * known.design_effect))


def _judge_at_most(objective: Objective, figure: tuple[float, Interval] | None, count: int, missing: str) -> Judgement:
    if figure is None:
        return Judgement(objective.name, objective.limit, UNDECIDED, why=missing)
    value, (low, high) = figure
    status = MET if high <= objective.limit else NOT_MET if low > objective.limit else UNDECIDED
    needed = _more_of_mean(value, (low, high), objective.limit, count) if status == UNDECIDED else None
    return Judgement(objective.name, objective.limit, status, value, [low, high], _beyond(value / objective.limit), needed)


def _judge_at_least(objective: Objective, figure: tuple[float, Interval] | None, count: int, missing: str) -> Judgement:
    if figure is None:
        return Judgement(objective.name, objective.limit, UNDECIDED, why=missing)
    value, (low, high) = figure
    status = MET if low >= objective.limit else NOT_MET if high < objective.limit else UNDECIDED
    needed = _more_of_mean(value, (low, high), objective.limit, count) if status == UNDECIDED else None
    by = max(0.0, 1 - value / objective.limit) if objective.limit else 0.0
    return Judgement(objective.name, objective.limit, status, value, [low, high], by, needed)


def _more_of_mean(value: float, interval: Interval, limit: float, count: int) -> int | None:
    """An interval shrinks with the square root of the requests: how many more until it ends at the limit."""
    gap = abs(limit - value)
    reach = interval[1] - value if limit >= value else value - interval[0]
    if gap == 0:
        return None
    total = count * (reach / gap) ** 2
    return None if total > MOST_TO_ASK_FOR else max(1, math.ceil(total - count))


def _judge_cost(objective: Objective, sample: Sample) -> Judgement:
    missing = "the price is not known" if sample.rows.ok.any() else "no request was answered"
    return _judge_at_most(objective, sample.usd_per_10k, int(sample.rows.ok.sum()), missing)


def _judge_throughput(objective: Objective, sample: Sample) -> Judgement:
    return _judge_at_least(objective, sample.transactions_per_minute, len(sample.rows), "nothing was measured")


def _judge_quality(objective: Objective, sample: Sample) -> Judgement:
    found = sample.quality
    if found is None:
        return _judge_at_least(objective, None, 0, "no answer was scored: it takes quality: true, and prompts with known answers")
    judgement = _judge_at_least(objective, (found.value, found.interval), found.prompts, "")
    if judgement.requests_needed is None or found.prompts == found.answers:
        return judgement
    more = found.prompts + judgement.requests_needed
    why = f"all {found.prompts} prompts were answered more than once: it takes about {more} different ones"
    return replace(judgement, requests_needed=None, why=why)


SIMPLE: dict[str, Callable[[Objective, Sample], Judgement]] = {
    "error_rate": _judge_errors,
    "usd_per_10k": _judge_cost,
    "transactions_per_minute": _judge_throughput,
    "quality_min": _judge_quality,
}
"""Objectives on figures other than latencies; a new one is a new row here."""
