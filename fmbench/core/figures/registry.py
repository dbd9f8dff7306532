"""The registry of figures: objectives, rules, comparisons, definitions and tables are derived from it."""

from __future__ import annotations

from functools import cache

from fmbench.core.figures.figure import Figure, UnknownFigure
from fmbench.core.figures.percentiles import OfLatency, of_latency
from fmbench.core.registry import entry, names_in

_FOLDER = "core/figures"


def _found() -> tuple[Figure, ...]:
    """The ``FIGURES`` of every module of this folder, by rank."""
    modules = [entry(_FOLDER, name) for name in names_in(_FOLDER) if name != "registry"]
    return tuple(sorted((figure for module in modules for figure in getattr(module, "FIGURES", ())), key=lambda one: one.rank))


FIGURES = _found()
"""Every figure that has a name of its own, and the usual percentiles of every latency."""
OBJECTIVES = {figure.objective: figure for figure in FIGURES if figure.objective is not None}
"""The figures that a limit can be set on, by their key among the objectives."""
ALWAYS_COMPARED = tuple(figure for figure in FIGURES if figure.always_compared)
"""What every comparison tests, where both runs have it; more tests would make each of them weaker."""


@cache
def of_objective(name: str) -> Figure:
    """The figure that a key of the objectives sets a limit on. Raises ``UnknownFigure``."""
    found = OBJECTIVES.get(name) or (of_latency(name) if name.endswith("_s") else None)
    if found is None or found.objective != name:
        raise UnknownFigure(f"no objective is called {name}: {', '.join(OBJECTIVES)}, or any other percentile of a latency")
    return found


@cache
def of_rule(name: str) -> Figure:
    """The figure that comparisons and rules call so. Raises ``UnknownFigure``."""
    found = next((figure for figure in FIGURES if figure.rule == name), None) or of_latency(name)
    if found is None or found.rule != name:
        raise UnknownFigure(f"there is no figure {name}; the figures are {', '.join(figure.rule for figure in FIGURES)}")
    return found


@cache
def of_key(key: str) -> Figure:
    """The figure of that key. Raises ``UnknownFigure``."""
    found = next((one for one in FIGURES if one.key == key), None) or of_latency(key)
    if found is None or found.key != key:
        raise UnknownFigure(f"there is no figure {key}")
    return found


__all__ = ["ALWAYS_COMPARED", "FIGURES", "OBJECTIVES", "OfLatency", "of_key", "of_objective", "of_rule"]
