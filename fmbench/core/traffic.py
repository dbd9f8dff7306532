"""What a model costs a month at one's own traffic, from what its answers cost in the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fmbench.core.bill import kind_costs
from fmbench.core.intervals import dependence, mean_interval
from fmbench.core.money import total_usd
from fmbench.core.prices.price import Price
from fmbench.core.prices.rates import MILLION
from fmbench.core.quantiles import Floats
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


def with_capacities(traffic: dict[str, Any], models: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """``traffic`` with what capacity costs by the names of ``models``: it may be given by label, route or id."""
    given, found = traffic.get("capacity_usd_per_hour") or {}, {}
    for model in models:
        names = [model.get("label"), model.get("route_of"), model.get("id")]
        hourly = next((given[name] for name in names if name in given), None)
        if hourly is not None:
            found[model.get("label") or model.get("id")] = hourly
    return {**traffic, "capacity_usd_per_hour": {**given, **found}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMonth:
    """What one model costs. USD; None: not known.

    ``input_usd`` and ``output_usd`` are of one request, priced request by request; ``plain_usd`` is its prompt's price without a
    cache, ``read_usd`` if all of it came out of one. ``usd_per_request`` holds failed requests that were charged, too.
    """

    model: str
    requests: int
    input_tokens: float
    output_tokens: float
    input_usd: float
    plain_usd: float
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
    sizes = _given(traffic, answered)
    prompts, answers = sizes or (_prompts(answered), answered.number("output_tokens"))
    plain, read = _prompt_usd(prompts, price, "input"), _prompt_usd(prompts, price, "cache_read")
    if plain is None:
        return None
    if sizes is None:
        costs = kind_costs(answered, price)
        prompt_usd, output_usd = _mean(sum(costs[kind] for kind in costs if kind != "output")), _mean(costs["output"])
        mean = total_usd(usd) / int(ok.sum())
        paid = usd[ok] + total_usd(usd[~ok]) / int(ok.sum())
        interval = mean_interval(paid, dependence(paid, answered.blocks))
    else:
        prompt_usd, output_usd, interval = plain, _output_usd(prompts, answers, price), None
        mean = prompt_usd + output_usd
    monthly = demand.per_day * DAYS
    share = float(traffic.get("cached_share") or 0.0)
    hourly = (traffic.get("capacity_usd_per_hour") or {}).get(model)
    return ModelMonth(
        model=model,
        requests=int(ok.sum()),
        input_tokens=_mean(prompts),
        output_tokens=_mean(answers),
        input_usd=prompt_usd,
        plain_usd=plain,
        read_usd=read,
        output_usd=output_usd,
        usd_per_request=mean,
        ci95=interval,
        usd_per_month=mean * monthly,
        month_ci95=None if interval is None else (interval[0] * monthly, interval[1] * monthly),
        batch_usd_per_month=_batch((prompts, answers), price, monthly),
        cached_usd_per_month=None if read is None or not share else (mean - prompt_usd + _mix(plain, read, share)) * monthly,
        capacity_usd_per_month=None if hourly is None else float(hourly) * HOURS,
        break_even_per_minute=None if hourly is None or not mean else float(hourly) / 60 / mean,
    )


def _mix(plain: float, read: float, share: float) -> float:
    return (1 - share) * plain + share * read


Sizes = tuple[Floats, Floats]
"""Tokens of prompts, cached ones included, and of answers."""


def _given(traffic: dict[str, Any], rows: Rows) -> Sizes | None:
    """The one size that the configuration gives, what it leaves out as in the run; None: sizes are those of the run."""
    prompt, answer = traffic.get("input_tokens"), traffic.get("output_tokens")
    if prompt is None and answer is None:
        return None
    prompt = round(_mean(_prompts(rows))) if prompt is None else prompt
    answer = round(_mean(rows.number("output_tokens"))) if answer is None else answer
    return np.array([float(prompt)]), np.array([float(answer)])


def _prompts(rows: Rows) -> Floats:
    cached = [np.nan_to_num(rows.number(name)) for name in ("cache_read_tokens", "cache_write_tokens")]
    return np.asarray(rows.number("input_tokens") + cached[0] + cached[1])


def _mean(values: Any) -> float:
    return float(np.nanmean(values))


def _rates(prompts: Floats, price: Price, kind: str) -> Floats | None:
    """USD of a token of a kind, by each prompt's length; None where that is not known of all."""
    schedule = price.schedule(*price.asked)
    at = [None if schedule is None else schedule.at(int(prompt)) for prompt in prompts]
    rates = [None if each is None else getattr(each, kind) for each in at]
    known = [float(rate / MILLION) for rate in rates if rate is not None]
    return np.array(known) if known and len(known) == len(rates) else None


def _prompt_usd(prompts: Floats, price: Price, kind: str) -> float | None:
    """The mean price of the prompts if all their tokens were of one kind."""
    rates = _rates(prompts, price, kind)
    return None if rates is None else _mean(rates * prompts)


def _output_usd(prompts: Floats, answers: Floats, price: Price) -> float:
    rates = _rates(prompts, price, "output")
    return float("nan") if rates is None else _mean(rates * answers)


def _batch(sizes: Sizes, price: Price, monthly: float) -> float | None:
    """A month of batch inference, where its price is known."""
    schedule = price.schedules.get(("batch", "standard"))
    if schedule is None:
        return None
    parts = [
        schedule.parts(Usage(input_tokens=int(prompt), output_tokens=int(answer))) for prompt, answer in zip(*sizes, strict=True)
    ]
    costs = [float(sum(each.values())) for each in parts if each is not None]
    return float(np.mean(costs)) * monthly if len(costs) == len(parts) and costs else None
