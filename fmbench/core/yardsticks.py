"""What cells are compared by: cost, latency or throughput, each with its interval; and which cells no other beats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fmbench.core.figures import Figures
from fmbench.core.intervals import Interval, difference_interval

Prefer = str
Measured = tuple[float, Interval]
"""A figure and its 95 % interval."""

LATENCY_ORDER = ("e2e", "ttft", "tpot")


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What ``prefer`` compares: a figure of a cell's row; ``sign`` is 1 when less is better, -1 when more is."""

    name: str
    title: str
    unit: str
    sign: int
    worse: str
    of: Callable[[Mapping[str, Any]], Measured | None]

    def better(self, row: Mapping[str, Any]) -> float:
        """Sorts better cells first, and those without the figure last."""
        found = self.of(row)
        return float("inf") if found is None else self.sign * found[0]


def _field(name: str) -> Callable[[Mapping[str, Any]], Measured | None]:
    def of(row: Mapping[str, Any]) -> Measured | None:
        value, ends = row[name], row[f"{name}_ci95"]
        return None if value is None else (value, (ends[0], ends[1]) if ends else (value, value))

    return of


def latency_of(metric: str, figure: str) -> Callable[[Mapping[str, Any]], Measured | None]:
    def of(row: Mapping[str, Any]) -> Measured | None:
        value, ends = row[f"{metric}_s"][figure], row[f"{metric}_s"]["ci95"][figure]
        return None if value is None else (value, (ends[0], ends[1]) if ends else (value, value))

    return of


COST = Yardstick("usd_per_10k", "cost of 10,000 answers", "$", 1, "dearer", _field("usd_per_10k"))
THROUGHPUT = Yardstick("transactions_per_minute", "transactions a minute", "/min", -1, "fewer", _field("transactions_per_minute"))


def latency_yardstick(objectives: list[str], rows: list[Mapping[str, Any]]) -> Yardstick:
    """The latency to compare by: that of the objectives (end to end first), else end to end; p95, or the highest all have."""
    asked = next((key for key in LATENCY_ORDER if any(name.startswith(f"{key}_p") for name in objectives)), "e2e")
    metric = asked if all(row[f"{asked}_s"]["n"] for row in rows) else "e2e"
    figures = [name.split("_")[1] for name in objectives if name.startswith(f"{metric}_p")]
    stated = (name for name in (*figures, "p95", "p90", "p50") if all(row[f"{metric}_s"][name] is not None for row in rows))
    figure = next(stated, "mean")
    title = f"{'end-to-end latency' if metric == 'e2e' else metric.upper()} ({figure})"
    return Yardstick(f"{metric}_{figure}_s", title, "s", 1, "slower", latency_of(metric, figure))


def yardstick_for(prefer: Prefer, objectives: list[str], rows: list[Mapping[str, Any]]) -> Yardstick:
    """What decides between ``rows``; where cost should and no price is known, latency does."""
    if prefer == "throughput":
        return THROUGHPUT
    if prefer == "cost" and any(row["usd_per_10k"] is not None for row in rows):
        return COST
    return latency_yardstick(objectives, rows)


def inside_noise(best: Figures, other: Figures, yardstick: Yardstick) -> bool:
    """Whether the 95 % interval of the difference of two cells holds 0."""
    if other is best:
        return True
    first, second = yardstick.of(best.row), yardstick.of(other.row)
    if first is None or second is None:
        return first is second
    low, high = difference_interval(*second, *first)
    return low <= 0 <= high


def pareto(judged: list[Figures], objectives: list[str]) -> list[dict[str, Any]]:
    """The cells that no other beats in latency, cost and throughput at once. A figure that is not known beats nothing."""
    if not judged:
        return []
    latency = latency_yardstick(objectives, [found.row for found in judged])
    sticks = (latency, COST, THROUGHPUT)
    scores = [tuple(stick.better(found.row) for stick in sticks) for found in judged]
    kept = [found for found, score in zip(judged, scores, strict=True) if not any(_beats(other, score) for other in scores)]
    return [
        {
            "model": found.cell.model,
            "concurrency": found.cell.concurrency,
            **{stick.name: None if (value := stick.of(found.row)) is None else value[0] for stick in sticks},
            "meets_objectives": found.meets,
        }
        for found in kept
    ]


def _beats(other: tuple[float, ...], score: tuple[float, ...]) -> bool:
    return all(a <= b for a, b in zip(other, score, strict=True)) and other != score
