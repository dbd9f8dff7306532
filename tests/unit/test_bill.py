"""The bill and the month, by arithmetic on a few requests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fmbench.config.schema import Price as Entry
from fmbench.config.schema import PriceCase
from fmbench.core.bill import bill_of
from fmbench.core.money import total_usd
from fmbench.core.prices.book import PriceBook
from fmbench.core.prices.price import Price
from fmbench.core.results import cost_of
from fmbench.core.table import Rows, read
from fmbench.core.traffic import demand_of, month_of, with_capacities

ENTRY = Entry(
    input=1.0,
    output=4.0,
    cache_read=0.1,
    cache_write=1.25,
    cache_write_1h=2.0,
    cases=[PriceCase(above_tokens=1000, input=2.0, output=8.0), PriceCase(tier="batch", input=0.5, output=2.0)],
)
DAYS = 365 / 12


def price() -> Price:
    found = PriceBook({"m": ENTRY}, "us-east-1").price_of("m")
    assert found is not None
    return found


def request(input_tokens: int | None = 100, output_tokens: int | None = 50, **more: Any) -> dict[str, Any]:
    row = {"cell": 0, "model": "m", "phase": "measure", "outcome": "ok", "sent_at": 1.0, "prompt_tokens": 100, "max_tokens": 50}
    return row | {"input_tokens": input_tokens, "output_tokens": output_tokens} | more


def rows(*requests: dict[str, Any]) -> Rows:
    return read(pd.DataFrame(list(requests))).rows


def test_a_bill_by_kind_and_phase() -> None:
    """Prices are a dollar a million of input: 100 tokens are 0.0001."""
    requests = (
        request(usd=0.0003),  # 100 x 1 + 50 x 4
        request(usd=0.002402, input_tokens=1001, phase="warmup"),  # by the step: 1,001 x 2 + 50 x 8
        request(usd=0.00075, cache_read_tokens=500, cache_write_tokens=200, cache_write_1h_tokens=200),
    )
    found = bill_of(rows(*requests), price())
    assert found["usd_by_phase"] == pytest.approx({"warmup": 0.002402, "measure": 0.00105, "drain": 0})
    by_hand = {"input": 0.002202, "output": 0.0008, "cache_read": 0.00005, "cache_write": 0, "cache_write_1h": 0.0004}
    assert found["usd_by_kind"] == pytest.approx(by_hand)


def test_kinds_that_do_not_make_the_whole_are_not_shown() -> None:
    assert bill_of(rows(request(usd=5.0)), price())["usd_by_kind"] is None


def test_failed_requests_as_bedrock_bills_them() -> None:
    """Charged where usage came; nothing for a throttle; perhaps, at most its bound, for one that broke off."""
    lost = {"input_tokens": None, "output_tokens": None, "outcome": "failed"}
    found = bill_of(
        rows(
            request(usd=0.0003, outcome="failed", failure="guardrail"),
            request(**lost, failure="throttled_tokens"),
            request(**lost, failure="reset"),
            request(**lost, failure="connect", sent_at=None),
            request(**(lost | {"outcome": "abandoned"}), sent_at=None),
        ),
        price(),
    )
    assert found["failed_usd"] == pytest.approx(0.0003)
    # 100 tokens counted locally: at most 250, at the dearest rate of a prompt token, 1.25, and 50 of output
    assert found["may_be_billed"] == {"requests": 2, "usd_at_most": pytest.approx(2 * (250 * 1.25 + 50 * 4) / 1e6)}


def test_a_month_by_arithmetic() -> None:
    traffic = {"requests_per_day": 1000, "cached_share": 0.5, "capacity_usd_per_hour": {"m": 0.9}}
    found = month_of("m", rows(*[request(usd=0.0003)] * 10), price(), demand_of(traffic), traffic)
    assert found is not None
    assert found.usd_per_request == pytest.approx(0.0003)
    assert found.usd_per_month == pytest.approx(0.3 * DAYS)
    half_cached = 0.00005 + 0.000005 + 0.0002  # 50 tokens at 1, 50 at 0.1, and the answer
    assert found.cached_usd_per_month == pytest.approx(half_cached * 1000 * DAYS)
    assert found.batch_usd_per_month == pytest.approx(0.15 * DAYS)
    assert found.capacity_usd_per_month == pytest.approx(0.9 * 24 * DAYS)
    assert found.break_even_per_minute == pytest.approx(50)  # 0.9 an hour is 0.015 a minute: 50 requests of 0.0003


def test_a_months_interval_is_of_the_requests() -> None:
    costs = [0.0003, 0.0005] * 50
    found = month_of("m", rows(*[request(usd=usd) for usd in costs]), price(), demand_of({"requests_per_day": 100}), None)
    assert found is not None and found.month_ci95 is not None
    low, high = found.month_ci95
    assert low < 0.0004 * 100 * DAYS < high
    assert high - low < 0.1 * found.usd_per_month


def test_sizes_that_are_given_and_a_profile_of_the_day() -> None:
    traffic = {"per_hour": [0] * 12 + [600] * 12, "input_tokens": 2000, "output_tokens": 100}
    demand = demand_of(traffic)
    assert (demand.per_day, demand.busiest_per_minute) == (7200, 10)
    found = month_of("m", rows(request(usd=0.0003)), price(), demand, traffic)
    assert found is not None
    assert found.usd_per_request == pytest.approx((2000 * 2 + 100 * 8) / 1e6)  # a long prompt, by its step


def test_sizes_that_are_given_hold_for_cache_and_batch_too() -> None:
    traffic = {"requests_per_day": 1000, "cached_share": 0.5, "input_tokens": 500, "output_tokens": 100}
    found = month_of("m", rows(request(usd=0.0003)), price(), demand_of(traffic), traffic)
    assert found is not None and found.cached_usd_per_month is not None
    assert found.usd_per_month == pytest.approx((500 * 1 + 100 * 4) / 1e3 * DAYS)
    assert found.cached_usd_per_month == pytest.approx((250 * 1 + 250 * 0.1 + 100 * 4) / 1e3 * DAYS)
    assert found.batch_usd_per_month == pytest.approx((500 * 0.5 + 100 * 2) / 1e3 * DAYS)
    assert (found.input_usd, found.output_usd) == pytest.approx((0.0005, 0.0004)), "what the sliders begin from"


def test_a_month_with_the_cache_is_of_the_whole_prompt() -> None:
    """20 + 60 read + 20 written tokens: in the run 20 x 1 + 60 x 0.1 + 20 x 1.25; all read, 100 x 0.1."""
    traffic = {"requests_per_day": 1000, "cached_share": 1.0}
    once = request(input_tokens=20, cache_read_tokens=60, cache_write_tokens=20, usd=0.000251)
    found = month_of("m", rows(once), price(), demand_of(traffic), traffic)
    assert found is not None and found.cached_usd_per_month is not None
    assert found.usd_per_month == pytest.approx(0.251 * DAYS)
    assert found.cached_usd_per_month == pytest.approx((100 * 0.1 + 200) / 1e3 * DAYS)
    assert (found.input_usd, found.plain_usd) == pytest.approx((0.000051, 0.0001))
    assert found.batch_usd_per_month == pytest.approx((100 * 0.5 + 50 * 2) / 1e3 * DAYS)


def test_capacity_is_given_by_label_route_or_id() -> None:
    models = [{"id": "a"}, {"id": "b", "label": "bee"}, {"id": "c", "label": "sea (flex)", "route_of": "sea"}, {"id": "d"}]
    found = with_capacities({"capacity_usd_per_hour": {"a": 1.0, "b": 2.0, "sea": 3.0}}, models)
    assert found["capacity_usd_per_hour"] | {"b": 0, "sea": 0} == {"a": 1.0, "bee": 2.0, "sea (flex)": 3.0, "b": 0, "sea": 0}


def test_no_month_without_a_price() -> None:
    assert month_of("m", rows(request(usd=None)), None, demand_of(None), None) is None
    assert not demand_of(None).given


def test_sums_of_money_are_exact_in_whatever_order_they_are_added() -> None:
    """Decimal's sum of the amounts as they are written is the oracle; a plain sum of these floats depends on their order."""
    written = ["0.1", "0.2", "0.3", "0.000000035", "1000", "0.0123"] * 500
    amounts = np.array([float(amount) for amount in written] + [np.nan])
    exact = float(sum(map(Decimal, written)))
    assert [total_usd(amounts), total_usd(amounts[::-1]), total_usd(np.sort(amounts))] == [exact] * 3
    assert total_usd(np.empty(0)) == 0.0


def test_equal_prices_have_equal_sums_in_a_cell() -> None:
    """0.1 is 0.3 / 3, but not as a sum of floats: the cost of a cell is the same in whatever order its requests ended."""
    paid = [0.1, 0.2, 0.3, 0.0007, 0.0000013]
    costs = [cost_of(rows(*(request(usd=usd) for usd in order))) for order in (paid, paid[::-1], sorted(paid))]
    assert {(cost.total, cost.per_10k and cost.per_10k[0]) for cost in costs} == {(0.6007013, 0.6007013 / 5 * 10_000)}
