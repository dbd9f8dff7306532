"""Prices: hand arithmetic, and genai-prices' own calculator as the oracle for the built-in list."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as ListUsage
from genai_prices import calc_price
from hypothesis import given
from hypothesis import strategies as st

from fmbench.config.schema import Price
from fmbench.core.cost import ModelPrice, PriceBook, Rate
from fmbench.core.records import Usage

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "us.amazon.nova-lite-v1:0"
DAY = date(2026, 11, 12)


def book(**pricing: Price) -> PriceBook:
    return PriceBook({name.replace("__", "."): price for name, price in pricing.items()}, "us-east-1", DAY)


def test_a_configured_price_wins_over_the_built_in_one() -> None:
    prices = PriceBook({NOVA: Price(input=1.0, output=2.0)}, "us-east-1", DAY)
    price = prices.price_of(NOVA)
    assert price is not None
    # 300 x 1 USD/M + 50 x 2 USD/M
    assert price.usd(Usage(input_tokens=300, output_tokens=50)) == pytest.approx(0.0004, abs=0)


def test_a_label_has_a_price_of_its_own() -> None:
    prices = PriceBook({NOVA: Price(input=1.0, output=1.0), "nova-flex": Price(input=0.5, output=0.5)}, None, DAY)
    usage = Usage(input_tokens=1_000_000, output_tokens=0)
    flex, plain = prices.price_of(NOVA, "nova-flex"), prices.price_of(NOVA, "nova")
    assert flex is not None and plain is not None
    assert (flex.usd(usage), plain.usd(usage)) == (0.5, 1.0)


@pytest.mark.parametrize(
    "model_id",
    [
        "nobody.knows-this-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefgh",
        "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/amazon.nova-lite-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-lite-v1:0:300k/abcdef",
        "arn:aws:bedrock:us-east-1:123456789012:imported-model/anthropic.claude-haiku-4-5",
    ],
)
def test_an_unknown_price_is_none_and_never_zero(model_id: str) -> None:
    prices = PriceBook({}, "us-east-1", DAY)
    assert prices.price_of(model_id) is None
    assert prices.info() == {
        "source": None,
        "version": None,
        "date": "2026-11-12",
        "region": "us-east-1",
        "models": {model_id: None},
    }


@pytest.mark.parametrize("usage", [Usage(), Usage(input_tokens=5), Usage(output_tokens=5)])
def test_unknown_tokens_have_no_price(usage: Usage) -> None:
    price = book(m=Price(input=1.0, output=1.0)).price_of("m")
    assert price is not None and price.usd(usage) is None


def test_cached_tokens_without_a_configured_rate_have_no_price() -> None:
    price = book(m=Price(input=1.0, output=1.0)).price_of("m")
    assert price is not None
    assert price.usd(Usage(input_tokens=1, output_tokens=1, cache_read_tokens=7)) is None
    assert price.usd(Usage(input_tokens=1_000_000, output_tokens=0, cache_read_tokens=0)) == 1.0


def test_cached_tokens_are_priced_beside_the_input_tokens() -> None:
    price = book(m=Price(input=4.0, output=8.0, cache_read=1.0, cache_write=5.0)).price_of("m")
    assert price is not None
    usage = Usage(input_tokens=100, output_tokens=10, cache_read_tokens=1000, cache_write_tokens=200)
    # (100x4 + 10x8 + 1000x1 + 200x5) / 1e6
    assert price.usd(usage) == 0.00248


@pytest.mark.parametrize("tier", ["flex", "priority", "reserved"])
def test_the_built_in_list_does_not_know_other_tiers(tier: str) -> None:
    price = PriceBook({}, "us-east-1", DAY).price_of(NOVA)
    assert price is not None
    usage = Usage(input_tokens=10, output_tokens=10)
    assert price.usd(usage, tier) is None
    assert price.usd(usage, None, "optimized") is None
    assert price.usd(usage, "default", "standard") == price.usd(usage)
    configured = book(m=Price(input=1.0, output=1.0)).price_of("m")
    assert configured is not None and configured.usd(usage, tier, "optimized") == 0.00002


@pytest.mark.parametrize("model_id", [NOVA, HAIKU, f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{NOVA}"])
@given(counts=st.tuples(*[st.integers(0, 400_000)] * 4))
def test_the_built_in_list_is_priced_as_its_own_calculator_does(model_id: str, counts: tuple[int, int, int, int]) -> None:
    fresh, out, read, written = counts
    price = PriceBook({}, "us-east-1", DAY).price_of(model_id)
    assert price is not None
    theirs = calc_price(
        ListUsage(input_tokens=fresh + read + written, output_tokens=out, cache_read_tokens=read, cache_write_tokens=written),
        model_id,
        provider_id="aws",
        genai_request_timestamp=datetime(2026, 11, 12, 12, tzinfo=UTC),
    )
    ours = price.usd(Usage(input_tokens=fresh, output_tokens=out, cache_read_tokens=read, cache_write_tokens=written))
    assert ours == pytest.approx(float(theirs.total_price), rel=1e-12)


def test_a_long_prompt_pays_its_tier_for_every_token() -> None:
    rate = Rate(Decimal(3), ((200_000, Decimal(6)),))
    price = ModelPrice(input=rate, output=Rate(Decimal(15)), cache_read=rate, cache_write=rate, source="genai-prices")
    assert price.usd(Usage(input_tokens=200_000, output_tokens=0)) == 0.6
    assert price.usd(Usage(input_tokens=200_001, output_tokens=0)) == 1.200006


@given(counted=st.integers(0, 100_000), error=st.floats(0, 1.5), most=st.integers(1, 8192), share=st.floats(0, 1))
def test_no_request_costs_more_than_its_bound(counted: int, error: float, most: int, share: float) -> None:
    price = PriceBook({}, "us-east-1", DAY).price_of(HAIKU)
    assert price is not None
    true_prompt = int(counted * error)
    for usage in (
        Usage(input_tokens=true_prompt, output_tokens=int(most * share)),
        Usage(input_tokens=0, cache_write_tokens=true_prompt, output_tokens=most),
    ):
        cost = price.usd(usage)
        assert cost is not None and cost <= price.bound(counted, most)


def test_the_book_says_where_each_price_is_from() -> None:
    prices = PriceBook({"mine": Price(input=0.1, output=0.2)}, "eu-west-1", DAY)
    for name in ("mine", NOVA, "nobody.knows-this"):
        prices.price_of(name)
    info = prices.info()
    assert info["source"] == "config + genai-prices"
    assert info["models"]["mine"] == {"source": "config", "input": 0.1, "output": 0.2, "cache_read": None, "cache_write": None}
    assert info["models"]["nobody.knows-this"] is None
    assert (info["models"][NOVA]["input"], info["models"][NOVA]["output"]) == (0.06, 0.24)  # AWS's published rates


def test_the_price_list_is_loaded_only_when_asked() -> None:
    code = (
        "import sys; from fmbench.core.cost import PriceBook; from fmbench.config.schema import Price;"
        "PriceBook({'m': Price(input=1.0, output=1.0)}, None).price_of('m');"
        "sys.exit('genai_prices' in sys.modules or 'ssl' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
