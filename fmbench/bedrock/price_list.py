"""AWS's price list, fetched through boto3: the three service codes under which Bedrock's prices stand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fmbench.bedrock.client import session
from fmbench.core.failures import Refused
from fmbench.core.neutral import discreet
from fmbench.core.prices.sources.aws_list import SERVICE_CODES, AwsPriceList
from fmbench.patience import within

PRICING_REGION = "us-east-1"
"""The price list has endpoints in few regions, and each has all prices."""
MOST_PAGES = 500
WITHIN_S = 180.0
"""How long the whole list is waited for, whatever drips."""


def fetch_price_list(regions: Iterable[str], client: Any = None) -> AwsPriceList:
    """Bedrock's prices of today in ``regions``. Raises ``Refused`` when they cannot be read."""
    try:
        client = client or session().client("pricing", region_name=PRICING_REGION)
        what = f"it did not come whole within {WITHIN_S:g} s"
        products = within(WITHIN_S, lambda: _all_products(client, sorted(set(regions))), what)
    except (ClientError, BotoCoreError, TimeoutError, LookupError, TypeError, ValueError, AttributeError) as error:
        cure = "Allow pricing:GetProducts, or leave --live-prices out and set pricing: in the configuration."
        raise Refused(f"--live-prices: AWS's price list cannot be read: {discreet(str(error))}. {cure}") from error
    return AwsPriceList(products, datetime.now(UTC).date().isoformat())


def _all_products(client: Any, regions: Iterable[str]) -> list[str]:
    return [item for region in regions for code in SERVICE_CODES for item in _products(client, code, region)]


def _products(client: Any, code: str, region: str) -> list[str]:
    pages = client.get_paginator("get_products").paginate(
        ServiceCode=code, Filters=[{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}]
    )
    return [item for page in islice(pages, MOST_PAGES) for item in page["PriceList"]]
