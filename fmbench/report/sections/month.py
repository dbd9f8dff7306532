"""The month's cost at one's own traffic: a table with intervals, the break-even of capacity, and what if it were otherwise."""

from __future__ import annotations

import math
from typing import Any

from fmbench.core.traffic import HOURS, with_capacities
from fmbench.report.blocks import Block, Slider, Table, Text, WhatIf, table, text
from fmbench.report.numbers import DASH, count, interval, known, plain, usd
from fmbench.report.section import Material, Section
from fmbench.report.study import Study

Month = dict[str, Any]
POINTS = (0.5, 1.0, 2.0)
"""The traffic of the Markdown's what-if table, in times of the one asked for."""


def blocks(material: Material) -> list[Block | None]:
    """The month's table, break-even and what-if; of models without a price what their capacity costs."""
    study = material.study
    traffic = study.summary.get("traffic") or {}
    months: list[Month] = traffic.get("models") or []
    alone = _capacity_alone(study, [each["model"] for each in months])
    if not months:
        return [*alone]
    said = "At" if traffic["given"] else "`traffic:` names no traffic, so for example at"
    per_day = f"{count(round(traffic['per_day']))} requests a day"
    words = f"{said} {per_day}, as answered in {text(traffic['bucket'])}; a month has 30.4 days."
    return [
        Text(words),
        _table(study, months),
        *(_break_even(study, traffic, each) for each in months),
        *alone,
        _what_if(study, traffic, months),
    ]


def _table(study: Study, months: list[Month]) -> Table:
    rows = []
    for each in months:
        cost = f"{usd(each['usd_per_month'])} {interval(each['month_ci95'], each['usd_per_month'], '$')}".strip()
        cached, batch = (usd(each[name]) for name in ("cached_usd_per_month", "batch_usd_per_month"))
        rows.append(
            [
                text(study.short(each["model"])),
                usd(each["usd_per_request"]),
                cost,
                cached,
                batch,
                usd(each["capacity_usd_per_month"]),
            ]
        )
    titles = ["", "$ / request", "$ / month on demand (95 %)", "With the cache", "As batch", "Capacity"]
    note = "With the cache: `traffic.cached_share` of the prompts read from it. — : not asked for, or its price is not known."
    return table(titles, rows, caption=note)


def _break_even(study: Study, traffic: dict[str, Any], each: Month) -> Block | None:
    rate = each.get("break_even_per_minute")
    if not known(rate):
        return None
    mean, busiest = traffic["per_day"] / 1440, traffic["busiest_per_minute"]
    cheaper = "on demand" if mean < rate else "the capacity"
    words = (
        f"{text(study.short(each['model']))}: below {plain(rate)} requests a minute, day and night, on demand is cheaper than "
        "the capacity; "
        f"the traffic is {plain(mean)} a minute on average and {plain(busiest)} in the busiest hour, so {cheaper} is."
    )
    return Text(words)


def _capacity_alone(study: Study, priced: list[str]) -> list[Block]:
    """A sentence for each model that has a price an hour, and none for its requests."""
    models = study.config.get("models") or []
    hourly = with_capacities(study.config.get("traffic") or {}, models)["capacity_usd_per_hour"]
    costs = {model: usd(hourly[model] * HOURS) for model in study.models if model in hourly and model not in priced}
    said = "a month; what its requests cost on demand is not known."
    return [Text(f"{text(study.short(model))}: its capacity costs {cost} {said}") for model, cost in costs.items()]


def _what_if(study: Study, traffic: dict[str, Any], months: list[Month]) -> WhatIf:
    per_day = traffic["per_day"]
    models = tuple(
        {
            "model": study.short(each["model"]),
            "input": each["input_usd"],
            "plain": each.get("plain_usd", each["input_usd"]),
            "read": each["read_usd"],
            "output": each["output_usd"],
            "failed": each["usd_per_request"] - each["input_usd"] - each["output_usd"],
        }
        for each in months
    )
    exponent = round(math.log10(per_day), 6)
    sliders = (
        Slider("requests", "Requests a day", min(0, math.floor(exponent)), max(7, math.ceil(exponent)), exponent, 0.000001),
        Slider("answer", "Length of answers, % of the measured", 10, 400, 100, 5, " %"),
        Slider("cached", "Prompt tokens read from a cache (0: as measured)", 0, 95, 0, 5, " %"),
    )
    rows = [[text(study.short(each["model"])), *(_at(each, factor) for factor in POINTS)] for each in months]
    titles = ["$ a month at", *(f"{count(round(per_day * factor))} a day" for factor in POINTS)]
    return WhatIf(sliders, models, table(titles, rows, caption="What if: in report.html with sliders."), 365 / 12)


def _at(each: Month, factor: float) -> str:
    return usd(each["usd_per_month"] * factor) if known(each.get("usd_per_month")) else DASH


SECTION = Section("A month of it", blocks)
