"""The report's pictures. A new one is a file here with ``CHARTS``, each naming the section that shows it."""

from __future__ import annotations

from fmbench.core.registry import entry, names_in
from fmbench.report.charts.base import Chart

_FOLDER = "report/charts"
_ORDER = ("price", "users", "throughput", "goodput", "distributions", "prompts", "outputs", "gaps", "timeline", "failures")
"""The order of pictures in a section; those of a file that is not named here come last."""


def _in_order() -> tuple[Chart, ...]:
    names = sorted(names_in(_FOLDER), key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    return tuple(chart for name in names for chart in entry(_FOLDER, name).CHARTS)


CHARTS = _in_order()

__all__ = ["CHARTS", "Chart"]
