"""The requests of one or several runs' cells as sides of a comparison: values in the order of time, with user, prompt and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fmbench.core.cells import MeasuredCell
from fmbench.core.clusters import Labels, numbered
from fmbench.core.contrast import Side
from fmbench.core.cycles import cycles
from fmbench.core.money import picodollars
from fmbench.core.quantiles import Floats
from fmbench.core.table import Rows

Cells = Sequence[MeasuredCell]
"""The same cell of each run of a side."""
Pick = Callable[[MeasuredCell], tuple[Rows, Floats, Floats | None]]
"""Of one cell: requests in the order of time, a value of each, and what a mean is taken over where that is not the count."""


def answers(a: Cells, b: Cells, column: str) -> tuple[Side, Side]:
    """A column of the measured answers; NaN left out."""

    def pick(cell: MeasuredCell) -> tuple[Rows, Floats, None]:
        rows = cell.rows[cell.rows.measured & cell.rows.ok]
        known = ~np.isnan(rows.number(column))
        return rows[known], rows.number(column)[known], None

    return _sides(a, b, pick)


def costs(a: Cells, b: Cells) -> tuple[Side, Side] | None:
    """What each answer cost, in whole picodollars, failed ones that were charged included; None where a price is not known."""

    def pick(cell: MeasuredCell) -> tuple[Rows, Floats, Floats]:
        rows = cell.rows[cell.rows.measured]
        rows = rows[rows.ok | ~np.isnan(rows.number("usd"))]
        return rows, picodollars(rows.number("usd")), rows.ok.astype(np.float64)

    found = _sides(a, b, pick)
    return None if any(np.isnan(side.values).any() for side in found) else found


def failures(a: Cells, b: Cells) -> tuple[Side, Side]:
    """Which of the measured requests that ended failed."""

    def pick(cell: MeasuredCell) -> tuple[Rows, Floats, None]:
        rows = cell.rows[cell.rows.measured]
        rows = rows[rows.ok | rows.failed]
        return rows, rows.failed.astype(np.float64), None

    return _sides(a, b, pick)


def texts(a: Cells, b: Cells) -> tuple[Side, Side]:
    """Which of the measured answers gave text; those that do not say are left out."""

    def pick(cell: MeasuredCell) -> tuple[Rows, Floats, None]:
        rows = cell.rows[cell.rows.measured & cell.rows.ok]
        rows = rows[rows.words["answered"].codes >= 0]
        return rows, rows.text.astype(np.float64), None

    return _sides(a, b, pick)


def completions(a: Cells, b: Cells) -> tuple[Side, Side]:
    """Answers, by the seconds from when each user sent a request to when it sent the next."""

    def pick(cell: MeasuredCell) -> tuple[Rows, Floats, Floats]:
        rows, seconds = cycles(cell)
        return rows, rows.ok.astype(np.float64), seconds

    return _sides(a, b, pick)


def scores(a: Cells, b: Cells) -> tuple[Side, Side] | None:
    """The scores of the answers; None where a side has none."""

    def pick(cell: MeasuredCell) -> tuple[Rows, Floats, None]:
        rows = cell.rows[cell.rows.measured & cell.rows.ok]
        known = ~np.isnan(rows.number("quality"))
        return rows[known], rows.number("quality")[known], None

    if not all("quality" in cell.rows.numbers for cell in (*a, *b)):
        return None
    return _sides(a, b, pick)


def _sides(a: Cells, b: Cells, pick: Pick) -> tuple[Side, Side]:
    numbers: dict[str, int] = {}
    first, second = (_side(cells, pick, numbers) for cells in (a, b))
    return first, second


def _side(cells: Cells, pick: Pick, prompts: dict[str, int]) -> Side:
    picked = [pick(cell) for cell in cells]
    weights = [weight for *_, weight in picked if weight is not None]
    whole = len(cells) > 1
    runs = [_run_of(place, rows, whole) for place, (rows, *_) in enumerate(picked)]
    return Side(
        values=np.concatenate([values for _, values, _ in picked]),
        weights=np.concatenate(weights) if weights else None,
        runs=np.concatenate(runs),
        prompts=np.concatenate([_prompts_of(rows, prompts) for rows, *_ in picked]),
        users=_users_of([rows for rows, *_ in picked]),
        hosts=_hosts_of([rows for rows, *_ in picked]),
        whole_runs=whole,
    )


def _run_of(place: int, rows: Rows, whole: bool) -> Labels:
    """The run of a population, or the repeat of a run alone."""
    if whole or rows.blocks is None:
        return np.full(len(rows), place, dtype=np.int64)
    return rows.blocks.astype(np.int64)


def _prompts_of(rows: Rows, numbers: dict[str, int]) -> Labels:
    """A number for each prompt, the same in every run; a request whose prompt is not known stands alone."""
    words = rows.words["prompt_id"]
    known = np.array([numbers.setdefault(name, len(numbers)) for name in words.names] or [0], dtype=np.int64)
    found = known[np.maximum(words.codes, 0)]
    for place in np.flatnonzero(words.codes < 0):
        found[place] = numbers.setdefault(f"\0{len(numbers)}", len(numbers))
    return found


def _users_of(runs: Sequence[Rows]) -> Labels:
    """A number for each user of each load process of each run."""
    return np.concatenate([numbered(np.full(len(rows), place, dtype=np.int64), rows.senders) for place, rows in enumerate(runs)])


def _hosts_of(runs: Sequence[Rows]) -> Labels | None:
    """A number for each load process of each run; None where no run has several."""
    found = [rows.hosts for rows in runs]
    if all(hosts is None for hosts in found):
        return None
    places = [np.full(len(rows), place, dtype=np.int64) for place, rows in enumerate(runs)]
    known = [place * 0 if hosts is None else hosts for place, hosts in zip(places, found, strict=True)]
    return numbered(np.concatenate(places), np.concatenate(known))
