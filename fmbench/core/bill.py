"""The bill: what a run cost by model, phase and kind of token, and what may come on top of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmbench.core.money import picodollars, sum_of, total_usd
from fmbench.core.prices.price import Price
from fmbench.core.prices.rates import KINDS, MILLION, Rates
from fmbench.core.quantiles import Floats
from fmbench.core.spend import counted_usd
from fmbench.core.table import Rows

PHASES = ("warmup", "measure", "drain")


def prices_in(book: Mapping[str, Any]) -> dict[str, Price]:
    """The prices of a manifest's ``price_book`` by model; those of earlier versions, which had no cases, are left out."""
    rows = (book.get("models") or {}).items()
    return {name: Price.from_dict(row) for name, row in rows if isinstance(row, dict) and "cases" in row}


def bill_of(rows: Rows, price: Price | None) -> dict[str, Any]:
    """What the requests of one model cost: ``usd_by_kind`` of token and ``usd_by_phase``; ``failed_usd``, of failed requests
    that were charged; ``may_be_billed``: requests cut short whose tokens were not told, and the most that they can cost. The
    kinds sum to the whole; null where a price that it takes is not known."""
    paid = picodollars(rows.number("usd"))
    by_phase = {phase: sum_of(paid[rows.words["phase"].is_(phase)]) for phase in PHASES}
    return {
        "usd_by_phase": by_phase,
        "usd_by_kind": None if price is None else _by_kind(rows, price, sum_of(paid)),
        "failed_usd": sum_of(paid[~rows.ok]),
        "may_be_billed": _may_be_billed(rows, price),
    }


def _by_kind(rows: Rows, price: Price, whole: float) -> dict[str, float] | None:
    """None where the parts do not make the whole: the run was priced otherwise."""
    paid = ~np.isnan(rows.number("usd"))
    costs = kind_costs(rows, price)
    sums = {kind: total_usd(cost[paid]) for kind, cost in costs.items()}
    return sums if math.isclose(math.fsum(sums.values()), whole, rel_tol=1e-6, abs_tol=1e-9) else None


def kind_costs(rows: Rows, price: Price) -> dict[str, Floats]:
    """USD of each request by kind of token; NaN where the price or a count is not known."""
    counts = _counts(rows)
    prompt = counts["input"] + counts["cache_read"] + counts["cache_write"] + counts["cache_write_1h"]
    costs = {kind: np.full(len(rows), np.nan) for kind in KINDS}
    for mask, rates in _rates_at(rows, price, prompt):
        for kind in KINDS:
            if not counts[kind].any():
                costs[kind][mask] = 0.0
                continue
            rate = getattr(rates, kind)
            each = float("nan") if rate is None else float(rate / MILLION)
            costs[kind][mask] = np.where(counts[kind][mask] == 0, 0.0, counts[kind][mask] * each)
    return costs


def _counts(rows: Rows) -> dict[str, Floats]:
    written, an_hour = (np.nan_to_num(rows.number(name)) for name in ("cache_write_tokens", "cache_write_1h_tokens"))
    an_hour = np.minimum(an_hour, written)
    return {
        "input": rows.number("input_tokens"),
        "output": rows.number("output_tokens"),
        "cache_read": np.nan_to_num(rows.number("cache_read_tokens")),
        "cache_write": written - an_hour,
        "cache_write_1h": an_hour,
    }


def _rates_at(rows: Rows, price: Price, prompt: Floats) -> Iterator[tuple[NDArray[np.bool_], Rates]]:
    """Requests that share their rates: by tier and latency mode as served, and by the length of the prompt."""
    tiers, modes = rows.words["service_tier"], rows.words["latency_mode"]
    for tier in {*np.unique(tiers.codes).tolist()}:
        for mode in {*np.unique(modes.codes).tolist()}:
            served = (tiers.codes == tier) & (modes.codes == mode)
            schedule = price.schedule(
                *(None if code < 0 else words.names[code] for code, words in ((tier, tiers), (mode, modes)))
            )
            if schedule is None:
                continue
            starts = [-1.0, *(float(start) for start, _ in schedule.steps), math.inf]
            rates = [schedule.base, *(rates for _, rates in schedule.steps)]
            for low, high, found in zip(starts, starts[1:], rates, strict=False):
                if found is not None:
                    yield served & (prompt > low) & (prompt <= high), found


def _may_be_billed(rows: Rows, price: Price | None) -> dict[str, Any]:
    """A request that broke off may be billed for what was made of its answer; nothing here tells how much that was."""
    open_rows = np.flatnonzero(np.isnan(rows.number("usd")) & ~rows.ok)
    failures, abandoned = rows.words["failure"], rows.words["outcome"].is_("abandoned")
    prompts, limits, sent = (rows.number(name) for name in ("prompt_tokens", "max_tokens", "sent_at"))
    most = []
    for index in open_rows:
        known = price is not None and not np.isnan(prompts[index]) and not np.isnan(limits[index])
        bound = price.bound(int(prompts[index]), int(limits[index])) if price is not None and known else None
        failure = failures.names[failures.codes[index]] if failures.codes[index] >= 0 else None
        reached = bool(abandoned[index]) or not np.isnan(sent[index])
        counted = counted_usd(None, failure, reached, math.inf if bound is None else bound)
        most += [counted] if counted > 0 else []
    whole = math.fsum(each for each in most if math.isfinite(each))
    return {"requests": len(most), "usd_at_most": None if any(math.isinf(each) for each in most) else whole}
