"""A month of models whose requests have no price, but their capacity has."""

from __future__ import annotations

from typing import Any, cast

from fmbench.report.blocks import Text
from fmbench.report.section import Material
from fmbench.report.sections.month import blocks
from fmbench.report.study import Study


def test_what_capacity_costs_a_month_is_said_although_requests_have_no_price() -> None:
    """$40 an hour are 40 · 24 · 365 / 12 = $29,200 a month; a model without a price an hour is not spoken of."""
    arn = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abc"
    models = [{"id": arn, "label": "units"}, {"id": "nobody.knows"}]
    config = {"models": models, "traffic": {"requests_per_day": 1000, "capacity_usd_per_hour": {arn: 40}}}
    summary: dict[str, Any] = {"cells": [], "traffic": {"models": []}}
    (said,) = blocks(Material(Study(summary, {"config": config}, cast(Any, None)), {}, {}, None))
    assert said == Text("units: its capacity costs $29,200 a month; what its requests cost on demand is not known.")
