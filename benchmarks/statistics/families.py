"""How often does a comparison of two runs alarm without a reason, and how often does it miss one?

Cells of closed loops, each measured once or in repeats, on both sides; every figure that a comparison always tests is tested, and
corrected as ``compare`` does it.

- **alarms**: both sides are alike. Families of 1, 10 and 100 cells; an alarm is any figure of any cell that is called better or
  worse. Requests of one prompt resemble each other in both runs (``paired``), or each request has a prompt of its own.
- **power**: B is slower by 10 % (400 requests, paired), or twice as slow in each of 100 cells of families of 63 cells.
- **rules**: ``e2e_p50 +10%`` where the truth is +9 %.
- **hours**: each run is of an hour that differs by 3 or 10 % from others: one run a side, two against three, three against three.

    python benchmarks/statistics/families.py [--cells 2000] [--seed 1] [--only alarms]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from loops import START, Floats, Loop, Process, frame, line, lognormal, loops

from fmbench.core import contrast
from fmbench.core.cells import MeasuredCell, measured_cells
from fmbench.core.comparison import SIGNIFICANT, SMALLEST, SMALLEST_POINTS
from fmbench.core.contrast import Chance, Contrast
from fmbench.core.figures.registry import ALWAYS_COMPARED, of_rule
from fmbench.core.multiplicity import gatekept
from fmbench.core.table import read

PROMPTS = 50
AT_ONCE = 40
CELL = Process("a cell", 8, 12, lognormal(0.4), failing=0.01)


def _only_p(ratio: float, chances: Chance, paired: bool, freedom: float) -> Contrast:
    """Without the search for an interval, which no test here asks for."""
    return Contrast(ratio - 1, (ratio - 1, ratio - 1), chances, paired, freedom)


@dataclass(frozen=True)
class Kind:
    """What both sides have: ``repeats`` of each cell; ``prompt_s``: how much of the latency is the prompt's (log-normal)."""

    process: Process = CELL
    repeats: int = 1
    prompt: float = 0.0
    hours: float = 0.0


def sides(rng: np.random.Generator, kind: Kind, count: int, factor: float = 1.0) -> list[MeasuredCell]:
    """So many cells of one side, ``factor`` times as slow."""
    process = kind.process
    own = process.own
    process = replace(process, own=lambda rng, shape: factor * own(rng, shape))
    made = loops(rng, process, count * kind.repeats)
    hours = np.exp(kind.hours * rng.standard_normal(count * kind.repeats))
    return [
        _cell(rng, kind, made[place * kind.repeats : (place + 1) * kind.repeats], hours[place * kind.repeats :])
        for place in range(count)
    ]


def _cell(rng: np.random.Generator, kind: Kind, repeats: Sequence[Loop], hours: Floats) -> MeasuredCell:
    frames, lines = [], []
    for block, loop in enumerate(repeats):
        start = START + 1000 * block
        frames.append(_records(rng, kind, replace(loop, took=loop.took * hours[block]), start))
        lines.append(line(loop.process, start=start, block=block) | {"cell": block})
        frames[-1]["cell"] = block
    return measured_cells(read(pd.concat(frames)), lines, {})[0]


def _records(rng: np.random.Generator, kind: Kind, loop: Loop, start: float) -> pd.DataFrame:
    count, failed = len(loop.sent), loop.failed
    prompts = np.arange(count)
    if kind.prompt:
        measured = loop.sent >= 0
        prompts[measured] = rng.permutation(np.arange(int(measured.sum())) % PROMPTS)
    usual = np.exp(kind.prompt * np.random.default_rng(9).standard_normal(PROMPTS))
    took = np.where(failed, loop.took, loop.took * (usual[prompts % PROMPTS] if kind.prompt else 1.0))
    names = prompts if kind.prompt else rng.integers(0, 2**60, count)
    ok = {
        "ttft_s": took * rng.uniform(0.2, 0.4, count),
        "tpot_s": took / 60,
        "usd": 1e-3 * rng.lognormal(0, 0.2, count) * (usual[prompts % PROMPTS] if kind.prompt else 1.0),
    }
    more = {name: np.where(failed, np.nan, values) for name, values in ok.items()}
    return frame(replace(loop, took=took), start=start, prompt_id=[f"p{name}" for name in names], **more)


Tested = list[tuple[float | None, float]]
"""Of each figure of a cell: p, and the change as a multiple of the smallest that matters."""


def tested(a: Sequence[MeasuredCell], b: Sequence[MeasuredCell]) -> Tested:
    found: Tested = []
    for figure in ALWAYS_COMPARED:
        seen = figure.contrast(a, b)
        smallest = SMALLEST_POINTS if figure.in_points else SMALLEST
        found.append((None, 0.0) if seen is None else (seen.p, abs(seen.change) / smallest))
    return found


def pairs(rng: np.random.Generator, kind: Kind, count: int, factor: float = 1.0) -> Iterator[Tested]:
    for begun in range(0, count, AT_ONCE):
        size = min(AT_ONCE, count - begun)
        for a, b in zip(sides(rng, kind, size), sides(rng, kind, size, factor), strict=True):
            yield tested([a], [b])


def alarms(cells: list[Tested], family: int) -> tuple[int, int]:
    """How many families alarm, of how many."""
    groups = [cells[begin : begin + family] for begin in range(0, len(cells) - family + 1, family)]
    return sum(any(any(claimed) for claimed in claims(group)) for group in groups), len(groups)


def claims(family: Sequence[Tested]) -> list[list[bool]]:
    corrected = gatekept([[p for p, _ in cell] for cell in family])
    return [
        [p is not None and p < SIGNIFICANT and size >= 1 for p, (_, size) in zip(of_cell, cell, strict=True)]
        for of_cell, cell in zip(corrected, family, strict=True)
    ]


def show_alarms(rng: np.random.Generator, count: int, tried: Sequence[int] = (1, 2, 3, 4, 5, 8)) -> None:
    print("| alike, paired | repeats | 1 cell | 10 cells | 100 cells |\n|---|--:|--:|--:|--:|")
    for prompt in (0.0, 0.3):
        for repeats in tried:
            cells = list(pairs(rng, Kind(repeats=repeats, prompt=prompt), count))
            found = [alarms(cells, family) for family in (1, 10, 100)]
            shown = " | ".join(f"{100 * hit / total:.1f} % of {total:,}" for hit, total in found)
            print(f"| {'by prompt' if prompt else 'no'} | {repeats} | {shown} |", flush=True)


def show_power(rng: np.random.Generator, count: int) -> None:
    medians = [place for place, figure in enumerate(ALWAYS_COMPARED) if figure.rule == "e2e_p50"]
    for own in (0.1, 0.15, 0.2, 0.3):
        slower = Kind(Process("400", 8, 50, lognormal(own)), prompt=0.4)
        cells = list(pairs(rng, slower, count // 5, 1.1))
        hits = sum(any(claims([cell])[0][place] for place in medians) for cell in cells)
        alone = sum(any((cell[place][0] or 0.0) < SIGNIFICANT for place in medians) for cell in cells)
        told = f"found in {hits} of {len(cells)}, by a test of p50 alone in {alone}"
        print(f"10 % slower, 400 requests, by prompt, answers to one scatter by {100 * own:g} %: {told}", flush=True)
    alike = list(pairs(rng, Kind(), 62))
    twice = list(pairs(rng, Kind(), 100, 2.0))
    hits = sum(any(claims([cell, *alike])[0]) for cell in twice)
    print(f"twice as slow in one cell of 63: found in {hits} of {len(twice)}", flush=True)
    for repeats in (4, 5, 8):
        twice = list(pairs(rng, Kind(repeats=repeats), 100, 2.0))
        alike = list(pairs(rng, Kind(repeats=repeats), 62))
        hits = sum(any(claims([cell, *alike])[0]) for cell in twice)
        print(f"the same with {repeats} repeats: found in {hits} of {len(twice)}", flush=True)


def show_rules(rng: np.random.Generator, count: int) -> None:
    figure = of_rule("e2e_p50")
    for kind in (Kind(Process("400", 8, 60, lognormal(0.3))), Kind(Process("400", 8, 60, lognormal(0.3)), prompt=0.4)):
        broken = passed = total = 0
        for begun in range(0, count, AT_ONCE):
            size = min(AT_ONCE, count - begun)
            for a, b in zip(sides(rng, kind, size), sides(rng, kind, size, 1.09), strict=True):
                seen = figure.contrast([a], [b])
                beyond, within = (1.0, 1.0) if seen is None else seen.chances(0.1)
                broken, passed, total = broken + (beyond < 0.05), passed + (within < 0.05), total + 1
        how = "by prompt" if kind.prompt else "not paired"
        print(f'"e2e_p50 +10%" at +9 %, {how}: broken in {100 * broken / total:.1f} %, passed in {100 * passed / total:.1f} %')


def show_hours(rng: np.random.Generator, count: int) -> None:
    print("| hours differ by | runs | alarms | twice as slow is found |\n|---|---|--:|--:|")
    for hours in (0.03, 0.1):
        for runs in ((1, 1), (2, 2), (2, 3), (3, 3), (5, 5)):
            kind = Kind(hours=hours)
            made = [(list(_runs(rng, kind, count // 4, number, factor)) for number in runs) for factor in (1.0,)]
            alike = [tested(a, b) for a, b in zip(*made[0], strict=True)]
            slow = zip(_runs(rng, kind, count // 10, runs[0], 1.0), _runs(rng, kind, count // 10, runs[1], 2.0), strict=True)
            hits, total = alarms(alike, 1)
            found, of = alarms([tested(a, b) for a, b in slow], 1)
            shown = f"{100 * hits / total:.1f} % | {100 * found / of:.0f} %"
            print(f"| {100 * hours:g} % | {runs[0]} and {runs[1]} | {shown} |", flush=True)


def _runs(rng: np.random.Generator, kind: Kind, count: int, runs: int, factor: float) -> Iterator[list[MeasuredCell]]:
    """So many times a cell of each of several runs."""
    for begun in range(0, count, AT_ONCE):
        size = min(AT_ONCE, count - begun)
        yield from map(list, zip(*(sides(rng, kind, size, factor) for _ in range(runs)), strict=True))


SHOWN: dict[str, Callable[..., None]] = {"alarms": show_alarms, "power": show_power, "rules": show_rules, "hours": show_hours}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=SHOWN)
    parser.add_argument("--repeats", type=int, nargs="+", default=[1, 2, 3, 4, 5, 8], help="of the alarms alone")
    given = parser.parse_args()
    contrast._contrast = _only_p
    for name, show in SHOWN.items():
        if given.only in (None, name):
            print(f"\n{name}\n")
            more = {"tried": given.repeats} if name == "alarms" else {}
            show(np.random.default_rng([given.seed, *name.encode()]), given.cells, **more)


if __name__ == "__main__":
    main()
