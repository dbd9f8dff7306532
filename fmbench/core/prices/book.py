"""The price book: which price holds for a model, from the first source that knows it. Never 0 for unknown.

In order: the configuration, AWS's own price list where it was fetched, the genai-prices package, else unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from fmbench.core.prices.price import Price
from fmbench.core.prices.route import Route
from fmbench.core.prices.sources import aws_list, configured, listed
from fmbench.core.prices.sources.aws_list import AwsPriceList
from fmbench.core.prices.sources.configured import ConfiguredPrice

if TYPE_CHECKING:
    from fmbench.config.schema import Config, Model


class PriceBook:
    """Prices by model and region, from one configuration and one day's price lists."""

    def __init__(
        self,
        pricing: Mapping[str, ConfiguredPrice],
        region: str | None,
        on: date | None = None,
        live: AwsPriceList | None = None,
    ) -> None:
        """``pricing`` is keyed by model id or by a model's label; ``region`` is that of models which name none; ``on`` is the day
        whose list prices hold (None: today, UTC); ``live`` is AWS's own list, where it was fetched."""
        self._pricing = dict(pricing)
        self._region = region
        self._on = on or datetime.now(UTC).date()
        self._live = live
        self._known: dict[str, Price | None] = {}

    def price_of(self, model_id: str, label: str | None = None, region: str | None = None) -> Price | None:
        """The price of a model in ``region`` (None: the book's); None when it is not known.

        The configuration's entry for the label comes before the one for the id: one id may be measured twice (at two service
        tiers, say), under two labels.
        """
        route = Route(model_id, region or self._region)
        name = label or model_id
        return self._priced((name, model_id), route)

    def _priced(self, names: tuple[str, ...], route: Route) -> Price | None:
        """The price of a route whose model the configuration may call by any of ``names``; it is kept by the first one."""
        entry = next((entry for name in names if (entry := self._pricing.get(name)) is not None), None)
        self._known[names[0]] = price = configured.price_of(entry, route) if entry is not None else self._listed(route)
        return price

    def of_model(self, config: Config, model: Model) -> Price | None:
        """The price of a configured model in its region, for the tier, latency mode and cache that its requests ask for."""
        price = self._priced(model.names, Route(model.id, model.region or self._region))
        if price is not None:
            tier, latency = asked_of(config, model)
            self._known[model.name] = price = price.ask(tier, latency, _an_hour(config, model), _system_tokens(config, model))
        return price

    def _listed(self, route: Route) -> Price | None:
        found = None if self._live is None else self._live.price_of(route)
        return found if found is not None else listed.price_of(route, self._on)

    def info(self) -> dict[str, Any]:
        """``{source, version, date, region, models}`` for the manifest: which book priced each model asked for, and its rates.

        ``version`` is that of genai-prices, None when no price came from it. ``date`` is the day whose list prices were taken;
        ``live_date`` the day on which AWS's own list was fetched. A model without a price is ``None``.
        """
        sources = sorted({price.source for price in self._known.values() if price is not None})
        return {
            "source": " + ".join(sources) or None,
            "version": listed.version() if listed.NAME in sources else None,
            "date": self._on.isoformat(),
            **({"live_date": self._live.fetched_on} if self._live is not None and aws_list.NAME in sources else {}),
            "region": self._region,
            "models": {name: None if price is None else price.to_dict() for name, price in sorted(self._known.items())},
        }


def asked_of(config: Config, model: Model) -> tuple[str | None, str | None]:
    """Service tier and latency mode that a model's requests ask for; None: neither is asked for."""
    tier = model.inference.service_tier or config.inference.service_tier or {}
    latency = model.inference.performance_config or config.inference.performance_config or {}
    return _word(tier.get("type")), _word(latency.get("latency"))


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _an_hour(config: Config, model: Model) -> bool:
    points = config.cache_points(model)
    return points is not None and points.ttl == "1h"


def _system_tokens(config: Config, model: Model) -> int:
    """About how many tokens the system prompt has: four letters of ASCII a token, one of any other script."""
    text = model.asked(config.inference).system or ""
    ascii_letters = sum(letter.isascii() for letter in text)
    return len(text) - ascii_letters + -(-ascii_letters // 4)


def prices_of(config: Config, book: PriceBook) -> dict[str, Price | None]:
    """The price of each configured model, by its name."""
    return {model.name: book.of_model(config, model) for model in config.models}
