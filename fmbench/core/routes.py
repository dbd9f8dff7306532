"""Routes to one model side by side: what each differs in from the first one, by how much, and whether it is more than noise.

Routes are measured in interleaved blocks with the same prompts. **Requests with the same prompt in the same block are paired**:
what the prompt and the hour make of both leaves the difference. Percentiles are told apart by a shift in seconds (``shifts``),
cost by a ratio, failures in points (``contrast``). That none is called different by chance holds for all of them together
(``multiplicity.gatekept``: each pair of routes first, then its figures).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from fmbench.core.cells import MeasuredCell
from fmbench.core.clusters import numbered
from fmbench.core.contrast import SIGNIFICANT, Contrast, Side, of_flags, of_mean
from fmbench.core.money import picodollars
from fmbench.core.multiplicity import gatekept
from fmbench.core.quantiles import Floats
from fmbench.core.samples import samples_needed
from fmbench.core.shifts import of_shift
from fmbench.core.table import Rows

PERCENTILES = (("ttft_s", 0.5), ("ttft_s", 0.95), ("e2e_s", 0.5), ("e2e_s", 0.95))


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDifference:
    """One figure of two routes to a model. ``difference`` is ``b - a`` in the figure's unit (seconds; points of a share), of cost
    the ratio ``b / a``; ``ci95`` is of it."""

    model: str
    bucket: str
    concurrency: int
    rate_per_min: float | None
    route_a: str
    route_b: str
    figure: str
    """``ttft_p95_s``, ``e2e_p50_s``, …, ``usd``, ``error_rate``."""
    a: float
    b: float
    n_a: int
    n_b: int
    difference: float
    ci95: tuple[float, float]
    p: float
    p_holm: float
    paired: bool

    @property
    def differs(self) -> bool:
        """Whether the difference is more than noise."""
        return self.p_holm < SIGNIFICANT

    def to_dict(self) -> dict[str, Any]:
        """For the summary."""
        return asdict(self) | {"differs": self.differs}


def route_differences(cells: Iterable[MeasuredCell], models: Iterable[Mapping[str, Any]]) -> list[RouteDifference]:
    """Each further route against the first one of its model, at each bucket and level that both completed.

    ``models``: those of the resolved configuration, which say whose route each is, in their order.
    """
    routes = {str(model.get("label") or model["id"]): model for model in models if model.get("route_of")}
    order = {name: place for place, name in enumerate(routes)}
    mine = [cell for cell in cells if cell.model in routes and cell.complete]
    mine.sort(key=lambda cell: (str(routes[cell.model]["route_of"]), cell.bucket, cell.level, order[cell.model]))
    found: list[list[RouteDifference]] = []
    for (model, *_), group in groupby(mine, key=lambda cell: (str(routes[cell.model]["route_of"]), cell.bucket, cell.level)):
        first, *others = group
        for other in others:
            names = str(routes[first.model]["route"]), str(routes[other.model]["route"])
            found.append([*_differences(model, names, first, other)])
    corrected = gatekept([[each.p for each in pair] for pair in found])
    return [
        replace(each, p_holm=1.0 if p is None else p)
        for pair, chances in zip(found, corrected, strict=True)
        for each, p in zip(pair, chances, strict=True)
    ]


def _differences(model: str, names: tuple[str, str], a: MeasuredCell, b: MeasuredCell) -> Iterator[RouteDifference]:
    place: dict[str, Any] = {"model": model, "bucket": b.bucket, "concurrency": b.concurrency, "rate_per_min": b.rate_per_min}
    for figure, sides, contrast in _contrasts(a, b):
        ratio = figure == "usd"
        yield RouteDifference(
            **place,
            route_a=names[0],
            route_b=names[1],
            figure=figure,
            a=sides[0].at,
            b=sides[1].at,
            n_a=sides[0].count,
            n_b=sides[1].count,
            difference=contrast.change + ratio,
            ci95=(contrast.interval[0] + ratio, contrast.interval[1] + ratio),
            p=contrast.p,
            p_holm=1.0,
            paired=contrast.paired,
        )


@dataclass(frozen=True, slots=True)
class _At:
    """A figure of one route, of so many requests."""

    at: float
    count: int


Found = tuple[str, tuple[_At, _At], Contrast]


def _contrasts(a: MeasuredCell, b: MeasuredCell) -> Iterator[Found]:
    for column, share in PERCENTILES:
        sides = _sides((a, b), lambda rows, column=column: (rows.ok, rows.number(column), None))  # type: ignore[misc]
        needed = samples_needed(share)
        contrast = of_shift(*sides, share) if min(len(side.values) for side in sides) >= needed else None
        yield from _found(f"{column[:-2]}_p{share * 100:g}_s", sides, contrast, lambda side, share=share: _quantile(side, share))  # type: ignore[misc]
    costs = _sides((a, b), _cost)
    if not any(np.isnan(side.values).any() for side in costs):
        yield from _found("usd", costs, of_mean(*costs), _usd)
    failures = _sides((a, b), lambda rows: (rows.ok | rows.failed, rows.failed.astype(np.float64), None))
    yield from _found("error_rate", failures, of_flags(*failures), lambda side: float(side.values.mean()))


def _found(figure: str, sides: tuple[Side, Side], contrast: Contrast | None, value: Callable[[Side], float]) -> Iterator[Found]:
    if contrast is not None:
        yield figure, (_At(value(sides[0]), len(sides[0].values)), _At(value(sides[1]), len(sides[1].values))), contrast


def _quantile(side: Side, share: float) -> float:
    return float(np.quantile(side.values, share))


def _usd(side: Side) -> float:
    assert side.weights is not None
    return float(side.values.sum() / side.weights.sum()) / 1e12


Pick = Callable[[Rows], tuple[Any, Floats, Floats | None]]


def _cost(rows: Rows) -> tuple[Any, Floats, Floats]:
    """What answers cost, failed requests that were charged included, in whole picodollars."""
    usd = rows.number("usd")
    return rows.ok | ~np.isnan(usd), picodollars(usd), rows.ok.astype(np.float64)


def _sides(cells: Sequence[MeasuredCell], pick: Pick) -> tuple[Side, Side]:
    """The values of both routes in the order of time, numbered by prompt and block: those of one number are a pair."""
    picked = []
    for cell in cells:
        rows = cell.rows[cell.rows.measured]
        kept, values, weights = pick(rows)
        kept = kept & ~np.isnan(values) if weights is None else kept
        picked.append((rows[kept], values[kept], None if weights is None else weights[kept]))
    names = np.concatenate([rows.words["prompt_id"].codes.astype(np.int64) for rows, *_ in picked])
    blocks = np.concatenate([_blocks(rows) for rows, *_ in picked])
    unknown = names < 0
    names[unknown] = names.max(initial=0) + 1 + np.arange(int(unknown.sum()))
    numbers = np.split(numbered(names, blocks), [len(picked[0][0])])
    first, second = (Side(values, weights, prompts=mine) for (_, values, weights), mine in zip(picked, numbers, strict=True))
    return first, second


def _blocks(rows: Rows) -> Any:
    return np.zeros(len(rows), dtype=np.int64) if rows.blocks is None else rows.blocks.astype(np.int64)
