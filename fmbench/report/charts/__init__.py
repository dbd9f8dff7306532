"""The report's pictures, in the order of the pages. A new one is a file here and a line in ``CHARTS``."""

from __future__ import annotations

from fmbench.report.charts import distributions, failures, gaps, goodput, outputs, price, prompts, throughput, timeline, users
from fmbench.report.charts.base import Chart

CHARTS: tuple[Chart, ...] = (
    price.CHART,
    price.OTHERS,
    *users.CHARTS,
    throughput.CHART,
    goodput.CHART,
    distributions.CHART,
    prompts.CHART,
    outputs.CHART,
    gaps.CHART,
    timeline.CHART,
    failures.CHART,
)

__all__ = ["CHARTS", "Chart"]
