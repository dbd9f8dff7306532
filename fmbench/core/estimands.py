"""Two questions, two intervals: a figure for *prompts like these*, of which the run's are a sample, and for *these prompts*.

The first is what a run's intervals answer. The second leaves out what prompts differ by: of each value only its distance from
the mean of its own prompt's is chance (widened by what the means took of it), and how these distances depend on each other. It
can be told where prompts were asked again, twice on average and more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fmbench.core.clusters import Common
from fmbench.core.figures.cost import COST
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.figures.percentiles import percentile
from fmbench.core.figures.quality import QUALITY
from fmbench.core.intervals import ROUNDING, Dependence, Interval, dependence, mean_interval, quantile_interval
from fmbench.core.money import total_usd
from fmbench.core.quantiles import Floats, quantile_of_sorted
from fmbench.core.samples import samples_needed
from fmbench.core.scores import scored_in
from fmbench.core.sums import squares
from fmbench.core.table import Rows

FEWEST_TIMES = 2.0
"""How often the prompts have to be asked on average."""
FEWEST_PROMPTS = 2


def asked_again(common: Common) -> int | None:
    """How many different prompts there are; None where they are not known, or were not asked again."""
    if common.prompts is None or not len(common.prompts):
        return None
    prompts = int(common.prompts.max()) + 1
    found = int(np.count_nonzero(np.bincount(common.prompts, minlength=prompts)))
    return found if found >= FEWEST_PROMPTS and len(common.prompts) >= FEWEST_TIMES * found else None


def given_prompts(series: Floats, common: Common) -> Dependence | None:
    """The dependence of values for these prompts alone, as a part of their whole variance: the effective sample may be larger
    than the count. None where the prompts were not asked again."""
    prompts = asked_again(common)
    if prompts is None or common.prompts is None:
        return None
    spread = squares(series - series.mean())
    sizes = np.maximum(np.bincount(common.prompts), 1)
    left = series - (np.bincount(common.prompts, weights=series) / sizes)[common.prompts]
    if spread <= len(series) * (ROUNDING * float(series.mean())) ** 2:
        return Dependence(len(series), len(series), 1.0)
    within = squares(left) / spread * len(series) / (len(series) - prompts)
    if within <= ROUNDING:
        return None
    known = dependence(left, replace(common, prompts=None))
    return replace(known, design_effect=known.design_effect * within)


def mean_of_these(series: Floats, common: Common) -> Interval | None:
    """The interval of a mean for these prompts; None where it cannot be told."""
    if asked_again(common) is None:
        return None
    known = given_prompts(series, common)
    mean = float(series.mean())
    return (mean, mean) if known is None else mean_interval(series, known)


def percentile_of_these(series: Floats, common: Common, share: float) -> Interval | None:
    """The interval of a percentile for these prompts; None where it cannot be told."""
    if len(series) < samples_needed(share):
        return None
    ascending = np.sort(series)
    known = given_prompts((series <= quantile_of_sorted(ascending, share)).astype(np.float64), common)
    return None if known is None else quantile_interval(ascending, share, known)


def clearly_narrower(these: Interval | None, kind: Interval | None, least: float = 1.5) -> bool:
    """Whether it makes a difference which of the two is asked for."""
    if these is None or kind is None:
        return False
    return kind[1] - kind[0] > least * (these[1] - these[0])


def these_prompts(counted: Rows, asked: Mapping[str, Sequence[float]], per: int) -> dict[str, Any] | None:
    """The intervals of cost (for ``per`` answers), of p95 and ``asked`` percentiles, and of quality for the prompts that were
    sent and no others: ``{prompts, ci95}``; None where they were not asked again."""
    answers = counted.answered
    prompts = asked_again(answers.common)
    if prompts is None:
        return None
    found = {COST.key: _cost(counted, per), QUALITY.key: _quality(counted)}
    for latency in (one for one in LATENCIES if one.from_sending):
        values = answers.number(latency.column)
        known = ~np.isnan(values)
        for percent in sorted({95.0, *asked.get(latency.column, ())}):
            ends = percentile_of_these(values[known], answers.common[known], percent / 100)
            found[percentile(latency, percent).key] = ends
    known_ends = {name: [*ends] for name, ends in found.items() if ends is not None and np.isfinite(ends).all()}
    return {"prompts": prompts, "ci95": known_ends}


def _cost(counted: Rows, per: int) -> Interval | None:
    paid, usd = counted.answered.number("usd"), counted.number("usd")
    if not len(paid) or np.isnan(paid).any():
        return None
    lost = total_usd(usd[~counted.ok]) / len(paid)
    ends = mean_of_these(paid, counted.answered.common)
    return None if ends is None else (max(0.0, ends[0] + lost) * per, (ends[1] + lost) * per)


def _quality(counted: Rows) -> Interval | None:
    scored = scored_in(counted)
    ends = None if scored is None else mean_of_these(scored.number("quality"), scored.common)
    return None if ends is None else (max(0.0, ends[0]), min(1.0, ends[1]))
