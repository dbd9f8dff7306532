"""AWS's price list: answers of the documented shape through botocore's Stubber (no emulator has this service)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from fmbench.bedrock.price_list import fetch_price_list
from fmbench.core.failures import Refused
from fmbench.core.prices.book import PriceBook
from fmbench.core.prices.sources.aws_list import AwsPriceList
from fmbench.core.records import Usage

REGION = "eu-west-2"
MILLION = 1_000_000


def product(attributes: dict[str, Any], usd: str, unit: str, description: str = "") -> str:
    price = {"unit": unit, "description": description, "pricePerUnit": {"USD": usd}}
    terms = {"OnDemand": {"A.T": {"priceDimensions": {"A.T.D": price}}}}
    return json.dumps({"product": {"sku": "A", "attributes": {"regionCode": REGION, **attributes}}, "terms": terms})


def usage(usagetype: str, usd: str, unit: str = "1K tokens", **more: str) -> str:
    return product({"servicecode": "AmazonBedrock", "usagetype": f"EUW2-{usagetype}", **more}, usd, unit)


def marketplace(words: str, usd: str, name: str = "Claude Haiku 5.5") -> str:
    attributes = {"servicecode": "AmazonBedrockFoundationModels", "servicename": f"{name} (Amazon Bedrock Edition)"}
    return product(attributes, usd, "Units", f"AWS Marketplace software usage|eu-west-2|{words}")


PAGES = {
    "AmazonBedrock": [
        usage("NovaLite-input-tokens", "0.0000780000", model="Nova Lite"),
        usage("NovaLite-output-tokens", "0.0003120000", model="Nova Lite"),
        usage("NovaLite-cache-read-input-token-count", "0.0000195000", model="Nova Lite"),
        usage("NovaLite-input-tokens-flex", "0.0000390000", model="Nova Lite"),
        usage("NovaLite-output-tokens-flex", "0.0001560000", model="Nova Lite"),
        usage("NovaLite-reserved-1-month-input-tokens-per-minute-cross-region-geo", "9", model="Nova Lite"),
        "not JSON",
        json.dumps({"product": {}}),
        usage("NovaLite-mantle-input-tokens", "0.0000900000", model="Nova Lite"),
        usage("NovaLite-input-tokens", "NaN", model="Nova Lite"),
        usage("NovaLite-output-tokens", "-1", model="Nova Lite"),
        usage("NovaLite-input-tokens", "7", "Quantity", model="Nova Lite"),
        usage("NovaLite-input-tokens", "0.0000780000", model="Nova Lite").replace('"USD"', '"CNY"').replace("0.0000780000", "5"),
        usage("Gemma4-31b-mantle-input-tokens", "0.00014"),
        usage("Gemma4-31b-mantle-output-tokens", "0.0004"),
    ],
    "AmazonBedrockService": [
        usage("Claude4.5Sonnet-input-tokens-cross-region-global", "3.0", "1M tokens"),
        usage("Claude4.5Sonnet-output-tokens-cross-region-global", "15.0", "1M tokens"),
        usage("Claude4.5Sonnet-input-tokens-long-context-cross-region-global", "6.0", "1M tokens"),
        usage("Claude4.5Sonnet-output-tokens-long-context-cross-region-global", "22.5", "1M tokens"),
    ],
    "AmazonBedrockFoundationModels": [
        marketplace("Million Input Tokens Regional", "0.12"),
        marketplace("Million Response Tokens Regional", "0.6"),
        marketplace("Million Input Tokens Global", "0.1"),
        marketplace("Million Response Tokens Global", "0.5"),
        marketplace("Million Cache Write Tokens 1h Global", "0.2"),
        marketplace("Million Cache Write Tokens Global", "0.125"),
        marketplace("Provisioned Throughput Million Input Tokens", "77"),
    ],
}


@pytest.fixture(scope="module")
def prices() -> Iterator[AwsPriceList]:
    client = boto3.client("pricing", region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
    with Stubber(client) as stub:
        for code, items in PAGES.items():
            asked = {"ServiceCode": code, "Filters": [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": REGION}]}
            stub.add_response("get_products", {"PriceList": items[:3], "NextToken": "more"}, asked)
            stub.add_response("get_products", {"PriceList": items[3:]}, asked | {"NextToken": "more"})
        found = fetch_price_list([REGION], client)
        stub.assert_no_pending_responses()
    yield found


@pytest.mark.parametrize(
    ("model_id", "tokens", "tier", "usd"),
    [
        ("amazon.nova-lite-v1:0", Usage(input_tokens=MILLION, output_tokens=MILLION), None, 0.078 + 0.312),
        ("eu.amazon.nova-lite-v1:0", Usage(input_tokens=MILLION, output_tokens=0), None, 0.078),
        ("eu.amazon.nova-lite-v1:0", Usage(input_tokens=0, output_tokens=MILLION), "flex", 0.156),
        ("amazon.nova-lite-v1:0", Usage(input_tokens=0, output_tokens=0, cache_read_tokens=MILLION), None, 0.0195),
        ("amazon.nova-lite-v1:0", Usage(input_tokens=1, output_tokens=1), "priority", None),
        ("google.gemma-4-31b", Usage(input_tokens=MILLION, output_tokens=MILLION), None, 0.54),
        ("global.anthropic.claude-haiku-5-5", Usage(input_tokens=MILLION, output_tokens=MILLION), None, 0.6),
        ("eu.anthropic.claude-haiku-5-5", Usage(input_tokens=MILLION, output_tokens=MILLION), None, 0.72),
        (
            "global.anthropic.claude-haiku-5-5",
            Usage(input_tokens=0, output_tokens=0, cache_write_tokens=2 * MILLION, cache_write_1h_tokens=MILLION),
            None,
            0.325,
        ),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", Usage(input_tokens=200_000, output_tokens=0), None, 0.6),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", Usage(input_tokens=200_001, output_tokens=0), None, 1.200006),
    ],
)
def test_a_price_of_the_list(prices: AwsPriceList, model_id: str, tokens: Usage, tier: str | None, usd: float | None) -> None:
    price = PriceBook({}, REGION, live=prices).price_of(model_id)
    assert price is not None and (price.source, price.taken_from) == ("aws-price-list", None)
    assert price.usd(tokens, tier) == (None if usd is None else pytest.approx(usd))


def test_what_the_list_lacks_comes_from_the_next_source(prices: AwsPriceList) -> None:
    book = PriceBook({}, REGION, live=prices)
    price = book.price_of("global.anthropic.claude-opus-5-5")
    assert price is not None and price.source == "genai-prices"
    assert book.price_of("mistral.mistral-large-2407-v1:0") is None
    book.price_of("amazon.nova-lite-v1:0")
    assert book.info()["source"] == "aws-price-list + genai-prices"
    assert book.info()["live_date"] == prices.fetched_on


def test_a_list_that_may_not_be_read_is_a_refusal_with_its_cure() -> None:
    client = boto3.client("pricing", region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
    with Stubber(client) as stub:
        stub.add_client_error("get_products", "AccessDeniedException", "not allowed")
        with pytest.raises(Refused, match=r"pricing:GetProducts"):
            fetch_price_list([REGION], client)
