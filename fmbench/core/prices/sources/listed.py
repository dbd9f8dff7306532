"""Prices of the genai-prices package, where it knows the case. It is imported when a price is first asked of it, and never goes
to the network.

Its list is AWS's of the first US regions. Global profiles cost the same from every commercial region. The price of a geographic
profile is taken where the list names that very profile; a model's own id outside the list's regions, and a profile of a geography
that the list does not know, have a price *taken from* them, and are marked so. The list knows the usual tier and latency alone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from fmbench.core.prices.price import USUAL, Price
from fmbench.core.prices.rates import KINDS, Rates, Schedule
from fmbench.core.prices.route import Route

NAME = "genai-prices"
HOME = "us-east-1"
HOME_REGIONS = ("us-east-1", "us-east-2", "us-west-2")
"""Regions that share the list's prices of a model's own id."""
PRICED_BY_GEOGRAPHY = frozenset({"amazon"})
"""Providers whose geographic profiles cost differently in each geography; the list has the US price for all."""
UNLISTED_STEPS = {
    "claude-sonnet-4-2": 200_000,
    "claude-sonnet-4-5": 200_000,
    "gpt-5.4": 272_000,
    "gpt-5.5": 272_000,
}
"""Models whose long prompts have a price of their own that is not in the list, and from how many tokens on."""
_FIELDS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
}


def price_of(route: Route, on: date) -> Price | None:
    """The list's price of a route on a day; None: it is not in the list, or not billed by the token."""
    model = _find(route.profile_id) if route.by_the_token else None
    elsewhere = model is None and route.scope == "geo"
    if elsewhere:  # a geography that the list does not name
        model = _find(f"us.{route.base_id}")
    if model is None:
        return None
    prices = model.get_prices(datetime.combine(on, time(12), UTC))
    schedule = _schedule(prices, route)
    if schedule is None:
        return None
    foreign = HOME if elsewhere else _taken_from(route, model)
    region = None if route.scope == "global" and foreign is None else route.region if foreign is None else HOME
    return Price(schedules={USUAL: schedule}, source=NAME, region=region, taken_from=foreign)


def version() -> str:
    """The package's version."""
    from importlib.metadata import version as version_of

    return version_of("genai-prices")


def known_ids() -> list[str]:
    """Ids of the models with prices for text, as a region of the US calls them."""
    from genai_prices.data_snapshot import get_snapshot

    provider = next(provider for provider in get_snapshot().providers if provider.id == "aws")
    priced = [model.id for model in provider.models if getattr(model.prices, "output_mtok", True) is not None]
    return sorted({f"us.{name.removeprefix('regional.')}" if name.startswith("regional.") else name for name in priced})


def _find(model_id: str) -> Any:
    from genai_prices.data_snapshot import get_snapshot

    try:
        return get_snapshot().find_provider_model(model_id, None, "aws", None)[1]
    except LookupError:
        return None


def _taken_from(route: Route, model: Any) -> str | None:
    """Where the list's price really holds, if not on this route."""
    if not route.commercial:
        return HOME
    if route.scope == "global":
        return None
    if route.scope == "geo":
        named = model.id.startswith("regional.") and route.provider not in PRICED_BY_GEOGRAPHY
        return None if route.geography == "us" or named else HOME
    if model.id.startswith("regional.") and _dearer_than_global(route):
        return "the geographic profiles"
    return None if route.region is None or route.region in HOME_REGIONS else HOME


def _dearer_than_global(route: Route) -> bool:
    """Whether a model has prices by scope: the list has none for its own id then, and gives that of the geographic profiles."""
    everywhere, own = _find(f"global.{route.base_id}"), _find(route.base_id)
    return everywhere is not None and everywhere.id != own.id and str(everywhere.prices) != str(own.prices)


def _schedule(prices: Any, route: Route) -> Schedule | None:
    listed = {kind: getattr(prices, field, None) for kind, field in _FIELDS.items()}
    if listed["input"] is None or listed["output"] is None:
        return None
    if route.provider == "amazon":  # has no price for writes: they are input
        listed["cache_write"] = listed["cache_write"] or listed["input"]
    starts = sorted({tier.start for rate in listed.values() for tier in getattr(rate, "tiers", ())})
    steps: list[tuple[int, Rates | None]] = [(start, _rates(listed, start + 1)) for start in starts]
    unlisted = next((start for part, start in UNLISTED_STEPS.items() if part in route.base_id), None)
    if unlisted is not None and not steps:
        steps.append((unlisted, None))
    return Schedule(_rates(listed, 0), tuple(steps))


def _rates(listed: dict[str, Any], prompt_tokens: int) -> Rates:
    rates = {kind: _at(listed[kind], prompt_tokens) for kind in KINDS}
    return Rates(**rates)  # type: ignore[arg-type]


def _at(rate: Any, prompt_tokens: int) -> Decimal | None:
    if rate is None or isinstance(rate, Decimal):
        return rate
    price: Decimal = next((tier.price for tier in reversed(rate.tiers) if prompt_tokens > tier.start), rate.base)
    return price
