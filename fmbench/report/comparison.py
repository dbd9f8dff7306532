"""A comparison as Markdown: what changed first, then every figure of every cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fmbench.core.comparison import Change, Compared
from fmbench.core.figures.registry import of_rule
from fmbench.core.intervals import FEWEST_BLOCKS
from fmbench.core.rules import BROKEN, UNDECIDED, UNKNOWN
from fmbench.core.rulings import Comparison, Ruling
from fmbench.report.summary import say, worded
from fmbench.report.wording import count_of, level_text, value_text

MOST_NAMED = 6
"""Cells that a sentence names; the table and the JSON have them all."""


def data(found: Comparison) -> dict[str, Any]:
    """The whole comparison as JSON."""
    return dict(worded(found.to_dict()))


def markdown(found: Comparison) -> str:
    """The whole comparison as a Markdown page."""
    return "\n".join([*_head(found), "", *_rules(found), *_table(found), "", *_notes(found)]).rstrip() + "\n"


def _head(found: Comparison) -> Iterator[str]:
    yield f"# {found.b.run_id} against {found.a.run_id}"
    yield ""
    changes = [(cell, change) for cell in found.cells for change in cell.changes if change.verdict != "same"]
    tests = sum(change.p is not None for cell in found.cells for change in cell.changes)
    worse = sum(change.verdict == "worse" for _, change in changes)
    verdict = "**Regression.** " if found.regression else ""
    counts = f"{count_of(len(found.cells), 'cell')} in both runs, {count_of(tests, 'test')}"
    yield f"{verdict}{counts}: {worse} worse, {len(changes) - worse} better beyond the noise."
    if found.one_hour:
        yield ""
        yield (
            "**This comparison cannot tell a release from an hour**: a side was measured in one stretch of time, and what the "
            "hour makes of a service is in every figure. Compare several runs a side (compare A1 A2 A3 -- B1 B2 B3), or "
            f"{FEWEST_BLOCKS} load.repeats or more."
        )
        yield ""
    for cell, change in changes:
        yield f"- {_cell(cell)}: {change.figure} {_change_text(change)} ({change.verdict})"


def _cell(cell: Compared) -> str:
    return f"{cell.model}, {cell.bucket}, {level_text(cell.concurrency, cell.rate_per_min)}"


def _level(cell: Compared) -> str:
    return f"{cell.concurrency}" if cell.rate_per_min is None else level_text(cell.concurrency, cell.rate_per_min)


def _rules(found: Comparison) -> Iterator[str]:
    if not found.rules:
        return
    for rule in found.rules if not found.cells else ():
        yield f"- `{rule.text}`: not known, as no cell is in both runs"
    for rule in dict.fromkeys(ruling.rule for ruling in found.rulings):
        of_rule = [ruling for ruling in found.rulings if ruling.rule == rule]
        yield f"- `{rule.text}`: {_rule_text(of_rule)}"
    yield ""


def _rule_text(rulings: list[Ruling]) -> str:
    parts = []
    for status, said in ((BROKEN, "broken in"), (UNDECIDED, "undecided in"), (UNKNOWN, "not known in")):
        cells = [_cell(ruling.cell) for ruling in rulings if ruling.status == status]
        if cells:
            more = _needed(rulings) if status == UNDECIDED else ""
            parts.append(f"{said} {len(cells)} of {count_of(len(rulings), 'cell')} ({_listed(cells)}){more}")
    return "; ".join(parts) or "passed in every cell"


def _needed(rulings: list[Ruling]) -> str:
    """What it would take to decide a rule in all cells."""
    known = [ruling.requests_needed for ruling in rulings if ruling.status == UNDECIDED]
    if None in known:
        return ", where some are too near the limit to tell"
    return f", which takes about {count_of(max(number for number in known if number is not None), 'request')} more a cell and run"


def _listed(cells: list[str]) -> str:
    more = [f"{len(cells) - MOST_NAMED} more"] if len(cells) > MOST_NAMED else []
    return "; ".join([*cells[:MOST_NAMED], *more])


def _table(found: Comparison) -> Iterator[str]:
    yield "| model | bucket | users | figure | A | B | n of A, B | change (95 %) | p, corrected | |"
    yield "|---|---|--:|---|--:|--:|--:|---|--:|---|"
    for cell in found.cells:
        for change in cell.changes:
            chance = "" if change.p_corrected is None else f"{change.p_corrected:.3g}"
            pairs = " (by prompt)" if change.paired else ""
            name = f"{change.figure}{pairs}" if change.asked is None else f"{change.figure} (too few answers for {change.asked})"
            sizes = f"{change.n_a:,}, {change.n_b:,}"
            values = f"{_value(change, change.a)} | {_value(change, change.b)} | {sizes} | {_change_text(change)}"
            where = f"{_escaped(cell.model)} | {_escaped(cell.bucket)} | {_level(cell)}"
            yield f"| {where} | {name} | {values} | {chance} | {_said(change)} |"


def _escaped(name: str) -> str:
    """A name that does not end its column."""
    return name.replace("|", "\\|")


def _value(change: Change, value: float) -> str:
    return value_text(of_rule(change.figure).unit, value)


def _change_text(change: Change) -> str:
    if change.change is None:
        return "not known"
    unit = " points" if of_rule(change.figure).in_points else " %"
    span = "" if change.ci95 is None else f" ({100 * change.ci95[0]:+.1f} to {100 * change.ci95[1]:+.1f})"
    return f"{100 * change.change:+.1f}{unit}{span}"


def _said(change: Change) -> str:
    if change.verdict != "same":
        return f"**{change.verdict}**"
    if change.differs:
        return f"differs, by less than matters ({100 * change.smallest:g} %)"
    if change.ci95 is None:
        return "not tested"
    unit = "points" if of_rule(change.figure).in_points else "%"
    return f"no difference shown; one above {100 * max(abs(end) for end in change.ci95):.1f} {unit} is ruled out"


def _notes(found: Comparison) -> Iterator[str]:
    for keys, run in ((found.only_in_a, found.a), (found.only_in_b, found.b)):
        if keys:
            cells = _listed([_cell(Compared(*key)) for key in keys])
            yield f"- Only {run.run_id} completed {count_of(len(keys), 'cell')} ({cells})."
    yield from (f"- {say(message)}" for message in found.unlike)
