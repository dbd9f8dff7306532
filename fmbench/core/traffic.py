"""What a model costs a month at one's own traffic, from what its answers cost in the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fmbench.core.bill import kind_costs
from fmbench.core.intervals import dependence, mean_interval
from fmbench.core.money import total_usd
from fmbench.core.prices.price import Price
from fmbench.core.prices.rates import MILLION
from fmbench.core.records import Usage
from fmbench.core.table import Rows

DAYS = 365 / 12
HOURS = 24 * DAYS
EXAMPLE_PER_DAY = 10_000.0
"""Requests a day where the configuration names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Traffic: requests a day, and in the busiest minute."""

    per_day: float
    busiest_per_minute: float
    given: bool
    """Whether the configuration says so; else it is an example."""


def demand_of(traffic: dict[str, Any] | None) -> Demand:
    """The traffic that is asked for: a number a day, or a profile over its 24 hours."""
    traffic = traffic or {}
    hours = traffic.get("per_hour")
    if hours:
        return Demand(per_day=float(sum(hours)), busiest_per_minute=float(max(hours)) / 60, given=True)
    per_day = traffic.get("requests_per_day")
    given = per_day is not None
    per_day = EXAMPLE_PER_DAY if per_day is None else float(per_day)
    return Demand(per_day=per_day, busiest_per_minute=per_day / 1440, given=given)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMonth:
    """What one model costs. USD; None: not known.

    ``input_usd`` and ``output_usd`` are of one request, priced request by request; ``read_usd`` is its prompt's price if all of
    it came out of a prompt cache. ``usd_per_request`` holds failed requests that were charged, too.
    """

    model: str
    requests: int
    input_tokens: float
    output_tokens: float
    input_usd: float
    read_usd: float | None
    output_usd: float
    usd_per_request: float
    ci95: tuple[float, float] | None
    usd_per_month: float
    month_ci95: tuple[float, float] | None
    batch_usd_per_month: float | None
    cached_usd_per_month: float | None
    """With ``cached_share`` of the prompt's tokens read from a cache."""
    capacity_usd_per_month: float | None
    break_even_per_minute: float | None
    """Below so many requests a minute, day and night, on demand is cheaper than the capacity that has a price an hour."""

    def to_dict(self) -> dict[str, Any]:
        """For the summary."""
        return asdict(self)


def month_of(model: str, rows: Rows, price: Price | None, demand: Demand, traffic: dict[str, Any] | None) -> ModelMonth | None:
    """The month of a model by its measured requests ``rows``; None: nothing was answered, or its price is not known."""
    traffic = traffic or {}
    usd, ok = rows.number("usd"), rows.ok
    if price is None or not ok.any() or np.isnan(usd[ok]).any():
        return None
    answered = rows[ok]
    costs = kind_costs(answered, price)
    failed_usd = total_usd(usd[~ok])
    paid = usd[ok] + failed_usd / int(ok.sum())
    scale = _given(traffic, answered, price)
    mean = total_usd(usd) / int(ok.sum()) if scale is None else scale
    interval = None if scale is not None else mean_interval(paid, dependence(paid, answered.blocks))
    monthly = demand.per_day * DAYS
    read = _all_read(answered, price)
    prompt_usd = float(sum(costs[kind] for kind in costs if kind != "output").mean())  # type: ignore[union-attr]
    share = float(traffic.get("cached_share") or 0.0)
    hourly = (traffic.get("capacity_usd_per_hour") or {}).get(model)
    return ModelMonth(
        model=model,
        requests=int(ok.sum()),
        input_tokens=float(np.nanmean(answered.number("input_tokens"))),
        output_tokens=float(np.nanmean(answered.number("output_tokens"))),
        input_usd=prompt_usd,
        read_usd=read,
        output_usd=float(costs["output"].mean()),
        usd_per_request=mean,
        ci95=interval,
        usd_per_month=mean * monthly,
        month_ci95=None if interval is None else (interval[0] * monthly, interval[1] * monthly),
        batch_usd_per_month=_batch(answered, price, monthly),
        cached_usd_per_month=None if read is None or not share else (mean - share * (prompt_usd - read)) * monthly,
        capacity_usd_per_month=None if hourly is None else float(hourly) * HOURS,
        break_even_per_minute=None if hourly is None or not mean else float(hourly) / 60 / mean,
    )


def _given(traffic: dict[str, Any], rows: Rows, price: Price) -> float | None:
    """USD of a request of the sizes that the configuration gives; None: sizes are those of the run."""
    given = traffic.get("input_tokens"), traffic.get("output_tokens")
    if given == (None, None):
        return None
    sizes = [
        round(float(np.nanmean(rows.number(name)))) if size is None else int(size)
        for size, name in zip(given, ("input_tokens", "output_tokens"), strict=True)
    ]
    return price.expected(*sizes)


def _all_read(rows: Rows, price: Price) -> float | None:
    """The mean price of a prompt that is read from the cache as a whole."""
    tokens = rows.number("input_tokens") + np.nan_to_num(rows.number("cache_read_tokens"))
    schedule = price.schedule(*price.asked)
    found = [] if schedule is None else [schedule.at(int(count)) for count in tokens]
    rates = [None if each is None or each.cache_read is None else float(each.cache_read / MILLION) for each in found]
    known = [rate for rate in rates if rate is not None]
    return float(np.mean(np.array(known) * tokens)) if known and len(known) == len(rates) else None


def _batch(rows: Rows, price: Price, monthly: float) -> float | None:
    """A month of batch inference, where its price is known."""
    schedule = price.schedules.get(("batch", "standard"))
    if schedule is None:
        return None
    pairs = zip(rows.number("input_tokens"), rows.number("output_tokens"), strict=True)
    parts = [schedule.parts(Usage(input_tokens=int(prompt), output_tokens=int(output))) for prompt, output in pairs]
    costs = [float(sum(each.values())) for each in parts if each is not None]
    return float(np.mean(costs)) * monthly if len(costs) == len(parts) and costs else None
