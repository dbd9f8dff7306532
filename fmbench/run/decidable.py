"""The dry run's word on whether the plan can decide: what each objective takes, and which cells are too short for it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from fmbench.config.schema import Config
from fmbench.core.deciding import Expected, Need, expected_of, needs_of
from fmbench.core.estimate import Estimate, search_setting
from fmbench.core.objectives import Objective, objectives_of
from fmbench.core.plan import window_cap_s
from fmbench.core.search_course import blocks_for
from fmbench.core.sequential import TAIL_OF_SEQUENCE, block_length
from fmbench.report.wording import count_of, level_digits, level_text
from fmbench.run.plan_table import duration_text

NAMED = 3
"""So many cells are named; the others are counted."""


def decidable(config: Config, estimate: Estimate) -> Iterator[str]:
    """A line an objective, with what it takes and what cannot decide it."""
    load, objectives = config.load, objectives_of(config.objectives.model_dump())
    if load.search is not None:
        if load.search.of != "quota":
            yield from (_by_search(config, estimate, objective) for objective in objectives)
        return
    decided = load.until == "decided"
    levels = expected_of(estimate.rows, load.warmup_s, window_cap_s(load) if decided else None)
    for need in needs_of(objectives, levels):
        ends = _ends_early(config, need.objective) if decided else ""
        yield f"{_name(need.objective)} {_takes(need, len(levels), config)}{ends}"


def _name(objective: Objective) -> str:
    return f"{objective.name} {objective.limit:g}"


def _takes(need: Need, levels: int, config: Config) -> str:
    if need.requests is None and need.objective.figure.takes is not None:
        return "goes by prompts: how many it takes hangs on how much their scores differ, and is not known before."
    if need.requests is None:
        return "takes as many requests as they differ: no number is known before."
    return f"takes {need.requests:,} measured requests at least; {_short(need, need.requests, levels, config)}"


def _short(need: Need, requests: int, levels: int, config: Config) -> str:
    if not need.short:
        return "every cell is expected to bring them."
    cells = [f"{one.row.cell.model} {one.row.cell.bucket} at {_level(one)}" for one in need.short]
    more = f" and {len(cells) - NAMED} more" if len(cells) > NAMED else ""
    share = "no cell is" if len(cells) == levels else f"{len(cells)} of {levels} cells are not"
    return f"{share} expected to bring them ({', '.join(cells[:NAMED])}{more}): {_cure(need, requests, config)}."


def _cure(need: Need, requests: int, config: Config) -> str:
    """More requests a cell, and the time that the slowest of them takes for these."""
    load, repeats = config.load, max(one.repeats for one in need.short)
    each = math.ceil(requests / repeats)
    takes_s = max((each / one.per_s if one.per_s else math.inf) for one in need.short)
    if math.isinf(takes_s):
        grows = " and load.max_duration_s to let the window grow"
    else:
        grows = "" if takes_s <= window_cap_s(load) else f" and load.max_duration_s: {_rounded_up(takes_s)}"
    if load.until == "decided":
        return f"set load.max_duration_s: {_rounded_up(takes_s)}" if takes_s < math.inf else "set load.max_duration_s"
    return f"set load.min_requests: {each}{grows}"


def _rounded_up(seconds: float) -> str:
    """To two digits, so that there is some room."""
    step = 10.0 ** max(0, math.floor(math.log10(max(seconds, 1.0))) - 1)
    return f"{math.ceil(seconds * 1.1 / step) * step:.0f}"


def _level(one: Expected) -> str:
    return level_text(one.row.cell.concurrency, one.row.cell.rate_per_min)


def _ends_early(config: Config, objective: Objective) -> str:
    """With ``until: decided``: what it takes to end a window with "met", beside the time that a window has."""
    blocks, block_s = blocks_for(objective, TAIL_OF_SEQUENCE), block_length(config.load.duration_s)
    if blocks is None:
        return " No window ends early by it."
    shown, cap_s = blocks * block_s, window_cap_s(config.load)
    beyond = f", which its cap of {duration_text(cap_s)} does not let it: it then goes on to the cap" if shown > cap_s else ""
    return f" A window ends early as met after {_blocks(blocks, block_s)} at least{beyond}."


def _blocks(blocks: int, block_s: float) -> str:
    return f"{count_of(blocks, 'block')} of {block_s:.3g} s ({duration_text(blocks * block_s)})"


def _by_search(config: Config, estimate: Estimate, objective: Objective) -> str:
    """What it takes to show a level of a search to meet, and from which level on ``most_requests`` are too few for that."""
    search = config.load.search
    assert search is not None
    setting = search_setting(config, min(row.answer_s or 0.0 for row in estimate.rows))
    blocks = blocks_for(objective, (1 - search.confidence) / 2)
    if blocks is None:
        return f"{_name(objective)} is not known while requests are sent: the search does not go by it."
    shown_s = blocks * setting.block_s
    said = f"{_name(objective)} takes {_blocks(blocks, setting.block_s)} at a level, over all its visits, to be shown met; "
    if (needed := math.ceil(shown_s * setting.per_s(setting.spec.highest))) <= search.most_requests:
        return f"{said}every level may have them."
    from_level = search.most_requests / shown_s / setting.per_s(1.0)
    what = "users" if search.of == "users" else "requests a minute"
    return (
        f"{said}levels above about {level_digits(float(f'{from_level:.2g}'))} {what} have used up "
        f"load.search.most_requests: {search.most_requests:,} before, and lean to one side (the interval then begins lower): "
        f"set it to {needed:,} to have every level shown."
    )
