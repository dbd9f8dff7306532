"""Prices: hand arithmetic, and genai-prices' own calculator as the oracle for the built-in list."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as ListUsage
from genai_prices import calc_price
from hypothesis import given
from hypothesis import strategies as st

from fmbench.config.schema import Config, PriceCase
from fmbench.config.schema import Price as Entry
from fmbench.core.prices.book import PriceBook
from fmbench.core.prices.price import USUAL, Price
from fmbench.core.prices.rates import Rates, Schedule
from fmbench.core.records import Usage
from tests.unit.published_prices import PUBLISHED

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "us.amazon.nova-lite-v1:0"
DAY = date(2026, 11, 12)


def book(**pricing: Entry) -> PriceBook:
    return PriceBook({name.replace("__", "."): price for name, price in pricing.items()}, "us-east-1", DAY)


def test_a_configured_price_wins_over_the_built_in_one() -> None:
    prices = PriceBook({NOVA: Entry(input=1.0, output=2.0)}, "us-east-1", DAY)
    price = prices.price_of(NOVA)
    assert price is not None
    # 300 x 1 USD/M + 50 x 2 USD/M
    assert price.usd(Usage(input_tokens=300, output_tokens=50)) == pytest.approx(0.0004, abs=0)


def test_a_label_has_a_price_of_its_own() -> None:
    prices = PriceBook({NOVA: Entry(input=1.0, output=1.0), "nova-flex": Entry(input=0.5, output=0.5)}, None, DAY)
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
    price = book(m=Entry(input=1.0, output=1.0)).price_of("m")
    assert price is not None and price.usd(usage) is None


def test_cached_tokens_without_a_configured_rate_have_no_price() -> None:
    price = book(m=Entry(input=1.0, output=1.0)).price_of("m")
    assert price is not None
    assert price.usd(Usage(input_tokens=1, output_tokens=1, cache_read_tokens=7)) is None
    assert price.usd(Usage(input_tokens=1_000_000, output_tokens=0, cache_read_tokens=0)) == 1.0


def test_cached_tokens_are_priced_beside_the_input_tokens() -> None:
    price = book(m=Entry(input=4.0, output=8.0, cache_read=1.0, cache_write=5.0)).price_of("m")
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
    configured = book(m=Entry(input=1.0, output=1.0)).price_of("m")
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


def test_a_long_prompt_pays_its_step_for_every_token() -> None:
    usual, dear = Rates(input=Decimal(3), output=Decimal(15)), Rates(input=Decimal(6), output=Decimal("22.5"))
    price = Price(schedules={USUAL: Schedule(usual, ((200_000, dear),))}, source="test")
    assert price.usd(Usage(input_tokens=200_000, output_tokens=1000)) == 0.615  # 200,000 x 3 + 1,000 x 15
    assert price.usd(Usage(input_tokens=200_001, output_tokens=1000)) == 1.222506  # 200,001 x 6 + 1,000 x 22.5


def test_steps_count_the_cached_tokens_too() -> None:
    """Claude Haiku 5.5 costs five times as much above 100,000 prompt tokens: 0.11 becomes 0.55, a read 0.011 becomes 0.055."""
    price = PriceBook({}, "us-east-1", DAY).price_of("us.anthropic.claude-haiku-5-5")
    assert price is not None
    assert price.usd(Usage(input_tokens=40_000, output_tokens=0, cache_read_tokens=60_000)) == pytest.approx(0.00506)
    assert price.usd(Usage(input_tokens=40_001, output_tokens=0, cache_read_tokens=60_000)) == pytest.approx(0.02530055)


def test_an_hour_in_the_cache_has_its_own_rate() -> None:
    """Claude Haiku 4.5 in the US: a write costs 1.375, one for an hour 2.2; Bedrock's count of writes holds both."""
    price = PriceBook({}, "us-east-1", DAY).price_of(HAIKU)
    assert price is not None
    usage = Usage(input_tokens=0, output_tokens=0, cache_write_tokens=3000, cache_write_1h_tokens=1000)
    assert price.usd(usage) == pytest.approx((2000 * 1.375 + 1000 * 2.2) / 1e6)
    five_minutes = book(m=Entry(input=1.0, output=1.0, cache_write=2.0)).price_of("m")
    assert five_minutes is not None and five_minutes.usd(usage) is None


@pytest.mark.parametrize(("model_id", "region"), PUBLISHED)
def test_ten_thousand_requests_cost_what_aws_publishes_or_are_not_said_to(model_id: str, region: str) -> None:
    rates = PUBLISHED[model_id, region]
    price = PriceBook({}, region, DAY).price_of(model_id)
    if price is not None and price.taken_from is None:
        cost = price.usd(Usage(input_tokens=2_000, output_tokens=300))
        assert cost is not None
        assert round(10_000 * cost, 2) == round(10_000 * (2_000 * rates[0] + 300 * rates[1]) / 1e6, 2)


def test_most_published_prices_are_known_and_the_others_marked() -> None:
    prices = {key: PriceBook({}, key[1], DAY).price_of(key[0]) for key in PUBLISHED}
    own = [key for key, price in prices.items() if price is not None and price.taken_from is None]
    assert len(own) >= len(PUBLISHED) / 2
    for region in ("eu-west-2", "us-gov-west-1"):
        foreign = PriceBook({}, region, DAY).price_of("amazon.nova-pro-v1:0")
        assert foreign is not None and foreign.taken_from == "us-east-1"


@pytest.mark.parametrize("model_id", ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "openai.gpt-5.5"])
def test_prompts_beyond_a_step_that_is_not_listed_have_no_price(model_id: str) -> None:
    """These cost more from 200,000 and 272,000 tokens on, and the built-in list does not say so."""
    price = PriceBook({}, "us-east-1", DAY).price_of(model_id)
    assert price is not None
    assert price.usd(Usage(input_tokens=150_000, output_tokens=1)) is not None
    assert price.usd(Usage(input_tokens=280_000, output_tokens=1)) is None


def test_a_configured_price_has_cases() -> None:
    entry = Entry(
        input=1.0,
        output=2.0,
        cases=[
            PriceCase(tier="flex", input=0.5, output=1.0),
            PriceCase(above_tokens=1000, input=3.0, output=4.0),
            PriceCase(region="eu-west-2", input=10.0, output=20.0),
        ],
    )
    million = Usage(input_tokens=1000, output_tokens=1000)
    here, there = (PriceBook({"m": entry}, region).price_of("m") for region in ("us-east-1", "eu-west-2"))
    assert here is not None and there is not None
    assert here.usd(million) == 0.003
    assert here.usd(million, "flex") == 0.0015
    assert here.usd(million, "priority") == 0.003  # a configured price stands for a tier that has none
    assert here.usd(Usage(input_tokens=1001, output_tokens=0)) == 0.003003
    assert there.usd(million) == 0.03


def test_of_the_cases_that_hold_the_last_one_counts() -> None:
    """By the rule of the page: a case that names no tier holds for each, one that names no length for prompts of any."""
    cases = [
        PriceCase(tier="flex", input=0.5, output=0.5),
        PriceCase(region="eu-west-2", input=10.0, output=10.0),
        PriceCase(region="eu-west-2", above_tokens=2000, input=30.0, output=30.0),
        PriceCase(region="eu-west-2", above_tokens=1000, input=20.0, output=20.0),
        PriceCase(tier="priority", region="eu-west-2", input=15.0, output=15.0),
    ]
    entry = Entry(input=1.0, output=1.0, cases=cases)
    here, there = (PriceBook({"m": entry}, region).price_of("m") for region in ("us-east-1", "eu-west-2"))
    assert here is not None and there is not None

    def per_million(price: Price, tokens: int, tier: str | None) -> float:
        usd = price.usd(Usage(input_tokens=tokens, output_tokens=0), tier)
        assert usd is not None
        return round(usd / tokens * 1e6, 6)

    assert [per_million(here, 5000, tier) for tier in (None, "flex", "priority")] == [1.0, 0.5, 1.0]
    assert [per_million(there, tokens, None) for tokens in (1000, 1001, 2001)] == [10.0, 20.0, 30.0]
    assert [per_million(there, tokens, "flex") for tokens in (1000, 1001, 2001)] == [10.0, 20.0, 30.0]
    assert [per_million(there, tokens, "priority") for tokens in (1000, 2001)] == [15.0, 15.0]


def test_the_bound_is_of_the_tier_that_is_asked_for() -> None:
    models = [{"id": "m", "inference": {"service_tier": {"type": "priority"}}}, {"id": NOVA, "label": "n"}]
    config = Config.model_validate({"models": models, "inference": {"service_tier": {"type": "flex"}}})
    entry = Entry(input=1.0, output=1.0, cases=[PriceCase(tier="priority", input=1.75, output=1.75)])
    prices = PriceBook({"m": entry}, "us-east-1", DAY)
    dear, unknown = (prices.of_model(config, model) for model in config.models)
    assert dear is not None and unknown is not None
    assert dear.bound(200, 600) == pytest.approx((400 + 600) * 1.75 / 1e6)  # one and a half times the prompt, and 100 tokens
    assert not unknown.known and unknown.bound(200, 600) is None


def test_a_price_survives_the_plan() -> None:
    for model_id in (NOVA, HAIKU, "global.openai.gpt-6.1-sol", "anthropic.claude-sonnet-4-20250514-v1:0"):
        price = PriceBook({}, "eu-west-2", DAY).price_of(model_id)
        assert price is not None
        assert Price.from_dict(json.loads(json.dumps(price.to_dict()))) == price


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
        bound = price.bound(counted, most)
        assert cost is not None and bound is not None and cost <= bound


def test_the_book_says_where_each_price_is_from() -> None:
    prices = PriceBook({"mine": Entry(input=0.1, output=0.2)}, "eu-west-1", DAY)
    for name in ("mine", NOVA, "nobody.knows-this"):
        prices.price_of(name)
    info = prices.info()
    assert info["source"] == "config + genai-prices"
    mine = info["models"]["mine"]
    assert {key: mine[key] for key in ("source", "input", "output", "cache_read", "cache_write", "taken_from")} == {
        "source": "config",
        "input": 0.1,
        "output": 0.2,
        "cache_read": None,
        "cache_write": None,
        "taken_from": None,
    }
    assert info["models"]["nobody.knows-this"] is None
    assert (info["models"][NOVA]["input"], info["models"][NOVA]["output"]) == (0.06, 0.24)  # AWS's published rates


def test_the_price_list_is_loaded_only_when_asked() -> None:
    code = (
        "import sys; from fmbench.core.prices.book import PriceBook; from fmbench.config.schema import Price;"
        "PriceBook({'m': Price(input=1.0, output=1.0)}, None).price_of('m');"
        "sys.exit('genai_prices' in sys.modules or 'ssl' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("model_id", ["us.anthropic.claude-sonnet-5-5", "us.amazon.nova-lite-v1:0", "global.openai.gpt-6-sol"])
def test_an_arn_of_a_profile_costs_what_its_id_costs(model_id: str) -> None:
    book = PriceBook({}, "us-east-1")
    by_id, by_arn = book.price_of(model_id), book.price_of(f"arn:aws:bedrock:us-east-1:111122223333:inference-profile/{model_id}")
    assert by_id is not None and by_arn is not None
    assert by_id.schedule() == by_arn.schedule()


@pytest.mark.parametrize("geography", ["ca", "sa", "mx", "kr"])
def test_a_geography_that_the_list_does_not_know_is_priced_as_another_and_marked(geography: str) -> None:
    book = PriceBook({}, "us-east-1")
    known, other = book.price_of("us.anthropic.claude-sonnet-5-5"), book.price_of(f"{geography}.anthropic.claude-sonnet-5-5")
    assert known is not None and other is not None
    assert (other.schedule(), other.taken_from) == (known.schedule(), "us-east-1")


def test_a_system_prompt_is_paid_with_every_prompt() -> None:
    """400 letters are about 100 tokens, a letter of another script one: nothing that requests carry is left out of a budget."""
    rates = {"input": 1, "output": 2, "cache_read": 0.1}
    config = Config.model_validate(
        {
            "models": [{"id": "a", "inference": {"system": "abcd" * 100}}, {"id": "b", "inference": {"system": "系统"}}],
            "pricing": {"a": rates, "b": rates},
        }
    )
    book = PriceBook(config.pricing, "us-east-1")
    price, other = (book.of_model(config, model) for model in config.models)
    assert price is not None and other is not None
    assert price.expected(200, 50) == pytest.approx((300 * 1 + 50 * 2) / 1e6)
    assert price.bound(200, 100) == pytest.approx((1.5 * 300 + 100 + 100 * 2) / 1e6)
    assert price.least(200, 50, cached=True) == pytest.approx((300 * 0.1 + 50 * 2) / 1e6)
    assert price.least(200, 50, cached=False) == price.expected(200, 50)
    assert other.expected(200, 0) == pytest.approx(202 / 1e6)
    assert Price.from_dict(json.loads(json.dumps(price.to_dict()))) == price
