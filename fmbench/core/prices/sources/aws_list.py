"""AWS's own price list: the products of ``pricing:GetProducts`` as rows, and a model's price out of them. Fetched elsewhere.

A product's region, model, tier, scope, cache operation and context length stand in its ``usagetype`` (service codes
``AmazonBedrock`` and ``AmazonBedrockService``), or in the words of its price's description (``AmazonBedrockFoundationModels``:
``… |Million Input Tokens Global``). What is not understood is left out: a price then comes from the next source, or is unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from fmbench.core.prices.names import NameKey, key_of_id, key_of_name
from fmbench.core.prices.price import Price, Served
from fmbench.core.prices.rates import Rates, Schedule
from fmbench.core.prices.route import Route, Scope

NAME = "aws-price-list"
SERVICE_CODES = ("AmazonBedrock", "AmazonBedrockService", "AmazonBedrockFoundationModels")
MARKETPLACE = "AmazonBedrockFoundationModels"
_LONG_STARTS = (("claude-haiku-5-5", 100_000), ("gpt-", 272_000), ("", 200_000))
"""From how many prompt tokens on the list's *long context* rates hold: it does not say so itself."""

_USAGE = re.compile(
    r"^[A-Z0-9]+-(?P<model>.+?)(?P<mantle>-mantle)?-"
    r"(?P<kind>cache-read|cache-write|input-tokens|output-tokens)(?P<rest>(?:-[a-z0-9]+)*)$"
)
_NOT_BY_THE_TOKEN = ("reserved", "provisioned", "customiz", "storage", "image", "video", "audio", "search unit")
_KINDS = (
    ("cache read", "cache_read"),
    ("cache write", "cache_write"),
    ("input token", "input"),
    ("response token", "output"),
    ("output token", "output"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """One price of the list. USD for a million tokens."""

    region: str
    model: NameKey
    kind: str
    served: Served
    scope: Scope
    long_context: bool
    usd: Decimal
    mantle: bool = False
    """Whether it is of bedrock-mantle, which has prices of its own."""


class AwsPriceList:
    """The rows of one day."""

    def __init__(self, products: Iterable[str | Mapping[str, Any]], fetched_on: str) -> None:
        """``products``: items of ``PriceList``, JSON or parsed; ``fetched_on``: the day, ISO."""
        self.fetched_on = fetched_on
        self._rows: dict[tuple[str, NameKey], list[PriceRow]] = {}
        for row in rows_of(products):
            self._rows.setdefault((row.region, row.model), []).append(row)

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def price_of(self, route: Route) -> Price | None:
        """The list's price of a route; None: it has none, or the region is not known."""
        if route.region is None or not route.by_the_token:
            return None
        rows = self._rows.get((route.region, key_of_id(route.base_id)), [])
        rows = [row for row in rows if not row.mantle] or rows  # those of mantle are of models that it alone has
        schedules = _schedules([row for row in rows if row.scope == _billed_scope(rows, route)], route)
        return Price(schedules=schedules, source=NAME, region=route.region) if schedules else None


def _billed_scope(rows: list[PriceRow], route: Route) -> Scope:
    """A geographic profile without rows of its own costs what the model costs in the region that it is called from."""
    if route.scope == "geo" and not any(row.scope == "geo" for row in rows):
        return "on-demand"
    return route.scope


def _schedules(rows: list[PriceRow], route: Route) -> dict[Served, Schedule]:
    found = {}
    for served in {row.served for row in rows}:
        base = _rates(row for row in rows if row.served == served and not row.long_context)
        above = _rates(row for row in rows if row.served == served and row.long_context)
        start = next(start for part, start in _LONG_STARTS if part in route.base_id)
        if base is not None:
            found[served] = Schedule(base, ((start, above),) if above is not None else ())
    return found


def _rates(rows: Iterable[PriceRow]) -> Rates | None:
    rates = {row.kind: row.usd for row in rows}
    if "input" not in rates or "output" not in rates:
        return None
    return Rates(**rates)


def rows_of(products: Iterable[str | Mapping[str, Any]]) -> Iterator[PriceRow]:
    """Every price for tokens that the products tell; what has another shape is left out."""
    for product in products:
        try:
            yield from _rows_of(json.loads(product) if isinstance(product, str) else product)
        except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation):
            continue


def _rows_of(product: Mapping[str, Any]) -> Iterator[PriceRow]:
    attributes = product["product"]["attributes"]
    for term in product["terms"]["OnDemand"].values():
        for dimension in term["priceDimensions"].values():
            service = attributes.get("servicecode") or product.get("serviceCode")
            row = _of_marketplace(attributes, dimension) if service == MARKETPLACE else _of_usage(attributes, dimension)
            if row is not None and row.usd.is_finite() and row.usd >= 0:
                yield row


def _of_usage(attributes: Mapping[str, Any], dimension: Mapping[str, Any]) -> PriceRow | None:
    match = _USAGE.match(attributes["usagetype"])
    usd = _per_million(dimension)
    if match is None or usd is None or "reserved" in attributes["usagetype"]:
        return None
    rest = match["rest"]
    tier = next((tier for tier in ("batch", "flex", "priority") if f"-{tier}" in rest), "default")
    return PriceRow(
        region=attributes["regionCode"],
        model=key_of_name(attributes.get("model") or match["model"]),
        kind=_kind_of_usage(match["kind"], rest),
        served=(tier, "optimized" if "optimized" in rest else "standard"),
        scope="global" if "region-global" in rest else "geo" if "region-geo" in rest else "on-demand",
        long_context="-long-" in rest,
        usd=usd,
        mantle=match["mantle"] is not None,
    )


def _kind_of_usage(kind: str, rest: str) -> str:
    if kind == "cache-write" and ("-1h" in rest or "-60m" in rest):
        return "cache_write_1h"
    return kind.removesuffix("-tokens").replace("-", "_")


def _of_marketplace(attributes: Mapping[str, Any], dimension: Mapping[str, Any]) -> PriceRow | None:
    words = dimension["description"].rpartition("|")[2].lower()
    kind = next((kind for part, kind in _KINDS if part in words), None)
    usd = Decimal(dimension["pricePerUnit"]["USD"])
    if kind is None or "token" not in words or any(word in words for word in _NOT_BY_THE_TOKEN) or "million" not in words:
        return None
    if kind == "cache_write" and re.search(r"\b1 ?h(our)?\b", words):
        kind = "cache_write_1h"
    return PriceRow(
        region=attributes["regionCode"],
        model=key_of_name(attributes["servicename"]),
        kind=kind,
        served=(
            next((tier for tier in ("batch", "flex", "priority") if tier in words), "default"),
            "optimized" if "latency optimized" in words else "standard",
        ),
        scope="global" if "global" in words else "geo" if "regional cris" in words else "on-demand",
        long_context="long context" in words,
        usd=usd,
    )


def _per_million(dimension: Mapping[str, Any]) -> Decimal | None:
    usd = Decimal(dimension["pricePerUnit"]["USD"])
    scales = {"1K tokens": 1000, "1M tokens": 1}
    return usd * scales[dimension["unit"]] if dimension["unit"] in scales else None
