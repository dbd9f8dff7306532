"""How good a model's answers are, and how sure that is.

Asked twice, a model often gives the same answer: answers to one prompt are no independent samples of what it can do. So prompts
are what is counted. The mean's variance is taken between prompts (clusters, linearised), and the 95 % interval is Korn and
Graubard's (Survey Methodology 24(2), 1998): Clopper and Pearson's, for so many independent trials as would have that variance.
With every answer right, or every one wrong, that is as many trials as prompts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fmbench.core.intervals import Interval
from fmbench.core.quantiles import Floats
from fmbench.core.samples import TAIL
from fmbench.core.sums import squares
from fmbench.core.table import Rows


@dataclass(frozen=True, slots=True)
class Quality:
    """The mean score of a cell's answers, from 0 to 1."""

    value: float
    interval: Interval
    answers: int
    prompts: int
    """How many different prompts they answer."""
    metrics: dict[str, dict[str, Any]]
    """Metric → ``{n, value}`` of the answers that it scored."""

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the summary."""
        return {
            "value": self.value,
            "ci95": list(self.interval),
            "n": self.answers,
            "prompts": self.prompts,
            "metrics": self.metrics,
        }


def quality_of(counted: Rows) -> Quality | None:
    """The quality of the whole answers among ``counted``; None where none has a score."""
    scored = scored_in(counted)
    if scored is None:
        return None
    scores, prompts = scored.number("quality"), scored.prompts
    return Quality(
        float(scores.mean()), clustered_interval(scores, prompts), len(scores), len(np.unique(prompts)), _by_metric(scored)
    )


def scored_in(counted: Rows) -> Rows | None:
    """The whole answers among ``counted`` that have a score; None where none has."""
    if "quality" not in counted.numbers:
        return None
    scored = counted[counted.ok & ~np.isnan(counted.number("quality"))]
    return scored if len(scored) else None


def _by_metric(scored: Rows) -> dict[str, dict[str, Any]]:
    metric, scores = scored.words["metric"], scored.number("quality")
    return {
        name: {"n": count, "value": float(scores[metric.is_(name)].mean())} for name, count in sorted(metric.counts().items())
    }


def clustered_interval(scores: Floats, clusters: NDArray[np.int64]) -> Interval:
    """The 95 % interval of the mean of scores from 0 to 1 whose ``clusters`` are what was sampled."""
    mean = float(scores.mean())
    _, places = np.unique(clusters, return_inverse=True)
    count = int(places.max()) + 1
    surplus = np.bincount(places, weights=scores - mean)
    variance = squares(surplus) / len(scores) ** 2 * count / max(count - 1, 1)
    if variance <= 1e-18 or count < 2:
        trials = float(count)
    else:
        freedom = float(special.stdtrit(count - 1, 1 - TAIL) / special.ndtri(1 - TAIL))
        trials = max(1.0, mean * (1 - mean) / variance / freedom**2)
    hits = mean * trials
    low = 0.0 if mean <= 0 else float(special.betaincinv(hits, trials - hits + 1, TAIL))
    high = 1.0 if mean >= 1 else float(special.betaincinv(hits + 1, trials - hits, 1 - TAIL))
    return low, high
