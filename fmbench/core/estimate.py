"""What a study may take, before anything is sent: requests, tokens, time and USD a cell, each USD with a range."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum
from statistics import fmean
from typing import TYPE_CHECKING, Literal, Protocol

from fmbench.core.levels import window_s as least_window_s
from fmbench.core.objectives import objectives_of
from fmbench.core.plan import max_tokens_of, window_cap_s
from fmbench.core.records import Cell
from fmbench.core.search_course import Setting, blocks_to_meet, course
from fmbench.core.searches import spec_of
from fmbench.core.sequential import block_length

if TYPE_CHECKING:
    from fmbench.config.schema import Config, Model


class Priced(Protocol):
    """What an estimate needs to know of a price."""

    def expected(self, prompt_tokens: int, output_tokens: int) -> float | None: ...
    def least(self, prompt_tokens: int, output_tokens: int, cached: bool) -> float | None: ...
    def bound(self, prompt_tokens: int, max_tokens: int) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How a model is expected to answer: seconds, seconds a token, tokens an answer (None: ``max_tokens``)."""

    ttft_s: float = 0.7
    tpot_s: float = 0.015
    output_tokens: int | None = None

    def times(self, factor: float) -> Pace:
        """The pace of a model that takes so many times as long."""
        return replace(self, ttft_s=self.ttft_s * factor, tpot_s=self.tpot_s * factor)


QUICKEST_S = 0.001
"""No answer is expected sooner, not even of a simulated model without any delay."""
USUAL_PACE = Pace()
"""What is assumed of a model that nothing is known about."""
SLACK = 2.0
"""The range: the low end is of a model that answers so many times slower and shorter than expected; the high end of one that
answers so many times quicker and as long as ``max_tokens``, each request at the most that it can cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usd:
    """An expected sum with its range, USD."""

    low: float
    expected: float
    most: float

    def capped(self, limit: float | None) -> Usd:
        """The sum under a budget."""
        return (
            self
            if limit is None
            else Usd(low=min(self.low, limit), expected=min(self.expected, limit), most=min(self.most, limit))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEstimate:
    """What one cell may take. ``usd`` is None when its price is not known."""

    cell: Cell
    requests: int
    input_tokens: int
    output_tokens: int
    seconds: float
    usd: Usd | None
    answer_s: float | None = None
    """How long an answer is expected to take; None: it hangs on what is found."""
    up_to: float | None = None
    """The highest level of a search, whose steps are all together one row; None: the row is of one cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a study may take: a row a cell. ``usd`` sums the cells whose price is known, and no budget is passed."""

    rows: list[CellEstimate]
    requests: int
    input_tokens: int
    output_tokens: int
    seconds: float
    usd: Usd | None
    unpriced: list[str]
    """Models without a known price."""
    attempts: int = 1
    """The most attempts that a request may have, each of which is a request to the service; expected is one."""

    def of_model(self, model: str) -> list[CellEstimate]:
        """The rows of one model."""
        return [row for row in self.rows if row.cell.model == model]

    @property
    def models(self) -> list[str]:
        """The models in their order."""
        return list(dict.fromkeys(row.cell.model for row in self.rows))


def total_usd(rows: Iterable[CellEstimate]) -> Usd | None:
    """The sum over the rows whose price is known; None: none is."""
    known = [row.usd for row in rows if row.usd is not None]
    if not known:
        return None
    return Usd(low=fsum(u.low for u in known), expected=fsum(u.expected for u in known), most=fsum(u.most for u in known))


def estimate(
    cells: Sequence[Cell],
    config: Config,
    sizes: Mapping[str, Sequence[int]],
    price_of: Callable[[str], Priced | None],
    pace_of: Callable[[str], Pace] = lambda model_id: USUAL_PACE,
) -> Estimate:
    """What ``cells`` may take. ``sizes`` has the tokens of each prompt of a bucket: requests are priced one by one, as a long
    prompt has a price of its own. ``price_of`` is asked with a model's name; ``pace_of`` says how fast an id answers, and
    requests follow from that and the windows."""
    models = {model.name: model for model in config.models}
    rows = [
        _estimate_cell(cell, config, models[cell.model], sizes[cell.bucket], price_of(cell.model), pace_of(cell.model_id))
        for cell in cells
    ]
    whole = total_usd(rows)
    return Estimate(
        rows=rows,
        requests=sum(row.requests for row in rows),
        input_tokens=sum(row.input_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        seconds=fsum(row.seconds for row in rows),
        usd=None if whole is None else whole.capped(config.budget.max_usd),
        unpriced=sorted({row.cell.model for row in rows if row.usd is None}),
        attempts=attempts_of(config),
    )


def attempts_of(config: Config) -> int:
    """The most attempts that a request may have."""
    return 1 if config.load.retry is None else config.load.retry.most_attempts


def _estimate_cell(
    cell: Cell, config: Config, model: Model, sizes: Sequence[int], price: Priced | None, pace: Pace
) -> CellEstimate:
    search = config.load.search
    if search is not None and search.of == "quota":
        return _estimate_quota_search(cell, config, price)
    limit = max_tokens_of(config, model)
    output = min(limit, pace.output_tokens or limit)
    requests, seconds = _taken(cell, config, pace, output)
    return CellEstimate(
        cell=cell,
        answer_s=_answer_s(pace, output),
        requests=requests,
        input_tokens=round(requests * fmean(sizes)),
        output_tokens=requests * output,
        seconds=seconds,
        usd=None if price is None else _usd(cell, config, sizes, price, pace, output, limit, config.may_read_cache(model)),
        up_to=None if search is None else search.end,
    )


Extent = Literal["low", "expected", "most"]


def _taken(cell: Cell, config: Config, pace: Pace, output: int, extent: Extent = "expected") -> tuple[int, float]:
    """Requests and seconds of a cell, or of a whole search."""
    answer_s, window_s = _durations(cell, config, pace, output)
    if config.load.search is not None:
        return _taken_by_search(config, answer_s, extent)
    return _requests(cell, config, answer_s, window_s), config.load.warmup_s + window_s + answer_s


def _taken_by_search(config: Config, answer_s: float, extent: Extent) -> tuple[int, float]:
    """Low: not even the lowest level meets. Expected: the limit is in the middle. Most: no level shows anything."""
    setting = search_setting(config, answer_s)
    lowest, highest = setting.spec.lowest, setting.spec.highest
    middle = math.sqrt(lowest * highest)
    if extent == "most":
        found = max((course(setting, limit, False) for limit in (lowest, middle, highest)), key=lambda one: one.requests)
    else:
        found = course(setting, lowest / 2 if extent == "low" else middle)
    return round(found.requests), found.seconds


def search_setting(config: Config, answer_s: float) -> Setting:
    """What the steps of a search for a limit are measured with, when an answer takes so long."""
    load = config.load
    assert load.search is not None
    spec, objectives = spec_of(load.search.model_dump()), objectives_of(config.objectives.model_dump())
    cycle_s = answer_s + load.mean_thought_s
    return Setting(
        spec=spec,
        per_s=(lambda level: level / cycle_s) if load.search.of == "users" else (lambda level: level / 60),
        block_s=block_length(load.duration_s),
        cap_s=window_cap_s(load),
        around_s=load.warmup_s + answer_s,
        blocks_to_meet=blocks_to_meet(objectives, (1 - spec.confidence) / 2),
    )


BURSTS = 8
"""Of a search for a quota: about so many minutes of sending, with one of silence before most."""
BURST_REQUESTS = {"low": 400, "expected": 2_500, "most": 8_000}
BURST_TOKENS = {"low": 100_000, "expected": 2_000_000, "most": 24_000_000}
"""Together, by searches of quotas of 20 to 1,500 requests and 20,000 to 4,000,000 tokens a minute (benchmarks/quota)."""


def _estimate_quota_search(cell: Cell, config: Config, price: Priced | None) -> CellEstimate:
    """What a search costs hangs on the quota that it finds: its tokens are those that the quota lets through."""
    assert config.load.search is not None
    usd = None
    if price is not None:
        found = {name: price.expected(BURST_TOKENS[name], BURST_REQUESTS[name]) for name in BURST_REQUESTS}
        usd = None if None in found.values() else Usd(**{name: each or 0.0 for name, each in found.items()})
    return CellEstimate(
        cell=cell,
        requests=BURST_REQUESTS["expected"],
        input_tokens=BURST_TOKENS["expected"],
        output_tokens=BURST_REQUESTS["expected"],
        seconds=BURSTS * config.load.search.minute_s * 1.3,
        usd=usd,
    )


def _usd(
    cell: Cell, config: Config, sizes: Sequence[int], price: Priced, pace: Pace, output: int, limit: int, cached: bool
) -> Usd | None:
    short = max(1, round(output / SLACK))
    low = _mean([price.least(size, short, cached) for size in sizes])
    expected = _mean([price.expected(size, output) for size in sizes])
    most = _mean([price.bound(size, limit) for size in sizes])
    if low is None or expected is None or most is None:
        return None
    few, _ = _taken(cell, config, pace.times(SLACK), short, "low")
    usual, _ = _taken(cell, config, pace, output)
    many, _ = _taken(cell, config, pace.times(1 / SLACK), output, "most")
    return Usd(low=few * low, expected=usual * expected, most=many * most * attempts_of(config))


def _mean(prices: Sequence[float | None]) -> float | None:
    known = [usd for usd in prices if usd is not None]
    return fmean(known) if known and len(known) == len(prices) else None


def _answer_s(pace: Pace, output: int) -> float:
    return max(QUICKEST_S, pace.ttft_s + output * pace.tpot_s)


def _durations(cell: Cell, config: Config, pace: Pace, output: int) -> tuple[float, float]:
    """Seconds of an answer, and of the window."""
    load = config.load
    answer_s = _answer_s(pace, output)
    gap_s = answer_s / cell.concurrency if cell.rate_per_min is None else 60 / cell.rate_per_min
    least_s = least_window_s(load)
    return answer_s, min(max(least_s, load.min_requests * gap_s), max(least_s, window_cap_s(load)))


def _requests(cell: Cell, config: Config, answer_s: float, window_s: float) -> int:
    if cell.rate_per_min is not None:
        return round(cell.rate_per_min / 60 * (config.load.warmup_s + window_s))
    cycle_s = answer_s + config.load.mean_thought_s
    beginning = 0 if config.load.mean_thought_s else cell.concurrency
    return round(cell.concurrency * (config.load.warmup_s + window_s) / cycle_s) + beginning
