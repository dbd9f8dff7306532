"""Two questions, two intervals: a figure for *prompts like these*, of which the run's are a sample, and for *these prompts*.

The first is what a run's intervals answer. The second leaves out what prompts differ by: of each value only its distance from
the mean of its own prompt's is chance (widened by what the means took of it), and how these distances depend on each other. Each
prompt counts alike, however often it came up (poststratification, Cochran, Sampling Techniques). It can be told where prompts
were asked again, twice on average and more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fmbench.core.clusters import Common, Labels
from fmbench.core.figures.cost import COST
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.figures.percentiles import percentile
from fmbench.core.figures.quality import QUALITY
from fmbench.core.intervals import ROUNDING, Interval, dependence, mean_interval, quantile_interval
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


def _left(series: Floats, prompts: Labels) -> Floats:
    """What is chance for these prompts: each value's distance from its prompt's mean, so large that the variance of its mean is
    that of the mean over prompts, each of which counts alike. Prompts that were asked once are taken to scatter as the others."""
    sizes = np.bincount(prompts)
    there, again = sizes > 0, sizes > 1
    apart = series - (np.bincount(prompts, weights=series) / np.maximum(sizes, 1))[prompts]
    weights = len(series) / (np.count_nonzero(there) * np.maximum(sizes, 1))
    lost = float((1 / sizes[there]).sum() / (1 / sizes[again]).sum()) if again.any() else 1.0
    scale = weights * np.sqrt(lost * sizes / np.maximum(sizes - 1, 1))
    return np.asarray(apart * scale[prompts])


def mean_of_these(series: Floats, common: Common) -> Interval | None:
    """The interval of a mean for these prompts, each as often as any other, and wide enough to hold the mean of the values: a
    window ends in the middle of a round. None where it cannot be told."""
    if asked_again(common) is None or common.prompts is None:
        return None
    sizes = np.bincount(common.prompts)
    usual = np.bincount(common.prompts, weights=series)[sizes > 0] / sizes[sizes > 0]
    centre, mean = float(usual.mean()), float(series.mean())
    left = _left(series, common.prompts)
    if math.sqrt(squares(left) / len(left)) <= ROUNDING * abs(centre):
        return min(mean, centre), max(mean, centre)
    low, high = mean_interval(centre + left, dependence(left, replace(common, prompts=None))) or (centre, centre)
    return min(low, mean), max(high, mean)


def percentile_of_these(series: Floats, common: Common, share: float) -> Interval | None:
    """The interval of a percentile for these prompts; None where it cannot be told."""
    if asked_again(common) is None or common.prompts is None or len(series) < samples_needed(share):
        return None
    ascending = _alike(series, common.prompts)
    flags = (series <= quantile_of_sorted(ascending, share)).astype(np.float64)
    left = _left(flags, common.prompts)
    within = squares(left) / max(squares(flags - flags.mean()), ROUNDING)
    if within <= ROUNDING:
        return None
    known = dependence(left, replace(common, prompts=None))
    found = quantile_interval(ascending, share, replace(known, design_effect=known.design_effect * within))
    seen = float(np.quantile(series, share))
    return None if found is None else (min(found[0], seen), max(found[1], seen))


def _alike(series: Floats, prompts: Labels) -> Floats:
    """The values in rising order, as they would be had each prompt been asked as often as any other."""
    order = np.argsort(series, kind="stable")
    reached = np.cumsum(1 / np.bincount(prompts)[prompts[order]])
    places = np.searchsorted(reached, (np.arange(len(series)) + 0.5) / len(series) * reached[-1])
    return np.asarray(series[order][np.minimum(places, len(series) - 1)])


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
