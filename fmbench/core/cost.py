"""What tokens cost: prices from the configuration, else from the genai-prices package, else unknown. Never 0 for unknown.

Rates are USD for a million tokens. Bedrock's ``inputTokens`` leaves out tokens read from or written to a prompt cache, so the
four counts are disjoint and each is multiplied by its own rate. genai-prices is imported when a price is first asked of it, and
never goes to the network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Protocol

from fmbench.core.records import Usage

MILLION = Decimal(1_000_000)
TOKENIZER_MARGIN = 1.5
"""``ModelPrice.bound`` takes a prompt to be up to so many times longer than the local tokenizer counted."""
PROMPT_OVERHEAD = 100
"""… and adds so many tokens for the salt, the roles and the model's own template."""

STANDARD_TIERS = frozenset({"default", "standard"})
"""``serviceTier.type`` as served at the list price."""
STANDARD_LATENCY = "standard"
_TOKEN_PRICED_ARN = re.compile(r"arn:[^:]*:bedrock:[^:]*:[^:]*:(foundation-model|inference-profile)/.+")


class ConfiguredPrice(Protocol):
    """A price as the configuration's ``pricing:`` gives it, USD for a million tokens."""

    @property
    def input(self) -> float: ...
    @property
    def output(self) -> float: ...
    @property
    def cache_read(self) -> float | None: ...
    @property
    def cache_write(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Rate:
    """USD for a million tokens. ``tiers`` are (start, USD): a prompt of more tokens than ``start`` pays that for all of them."""

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()

    def at(self, prompt_tokens: int) -> Decimal:
        """The rate of a request with so many prompt tokens, cached ones included."""
        return next((usd for start, usd in reversed(self.tiers) if prompt_tokens > start), self.base)


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """What one model's tokens cost."""

    input: Rate
    output: Rate
    cache_read: Rate | None
    """None: not known; a request that used a cache then has no price."""
    cache_write: Rate | None
    source: str
    """``config`` or ``genai-prices``."""

    def holds_for(self, service_tier: str | None, latency_mode: str | None) -> bool:
        """Whether this price is that of the tier as served.

        A configured price is taken as it stands. The built-in list knows the standard tier and the standard latency alone.
        """
        if self.source == "config":
            return True
        return service_tier in STANDARD_TIERS | {None} and latency_mode in (STANDARD_LATENCY, None)

    def usd(self, usage: Usage, service_tier: str | None = None, latency_mode: str | None = None) -> float | None:
        """USD for one request; None when its tokens, or the price of the tier it was served at, are not known."""
        if usage.input_tokens is None or usage.output_tokens is None or not self.holds_for(service_tier, latency_mode):
            return None
        read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
        prompt = usage.input_tokens + read + written
        total = usage.input_tokens * self.input.at(prompt) + usage.output_tokens * self.output.at(prompt)
        for tokens, rate in ((read, self.cache_read), (written, self.cache_write)):
            if tokens and rate is None:
                return None
            if rate is not None:
                total += tokens * rate.at(prompt)
        return float(total / MILLION)

    def bound(self, prompt_tokens: int, max_tokens: int) -> float:
        """The most that a request can cost, USD: an answer of ``max_tokens``, and a prompt ``TOKENIZER_MARGIN`` times longer than
        counted locally plus ``PROMPT_OVERHEAD`` tokens, all at the dearest rate that a prompt token can have."""
        prompt = int(prompt_tokens * TOKENIZER_MARGIN) + PROMPT_OVERHEAD
        rates = (rate.at(prompt) for rate in (self.input, self.cache_read, self.cache_write) if rate is not None)
        return float((prompt * max(rates) + max_tokens * self.output.at(prompt)) / MILLION)

    def to_dict(self) -> dict[str, Any]:
        """The rates as numbers, USD for a million tokens."""
        names = ("input", "output", "cache_read", "cache_write")
        rates = {name: getattr(self, name) for name in names}
        shown: dict[str, Any] = {name: None if rate is None else float(rate.base) for name, rate in rates.items()}
        tiers = {name: [[start, float(usd)] for start, usd in rate.tiers] for name, rate in rates.items() if rate and rate.tiers}
        return {"source": self.source, **shown, **({"tiers": tiers} if tiers else {})}


class PriceBook:
    """Prices by model, from one configuration and one day's price list."""

    def __init__(self, pricing: Mapping[str, ConfiguredPrice], region: str | None, on: date | None = None) -> None:
        """``pricing`` is keyed by model id or by a model's label; ``on`` is the day whose list prices hold (None: today, UTC)."""
        self._pricing = dict(pricing)
        self._region = region
        self._on = on or datetime.now(UTC).date()
        self._known: dict[str, ModelPrice | None] = {}

    def price_of(self, model_id: str, label: str | None = None) -> ModelPrice | None:
        """The price of a model; None when it is not known.

        The configuration's entry for the label, else for the id, else the built-in list. Labels come first because one id may be
        measured twice (at two service tiers, say), under two labels.
        """
        name = label or model_id
        if name not in self._known:
            configured = self._pricing.get(name) or self._pricing.get(model_id)
            self._known[name] = _listed(model_id, self._on) if configured is None else _configured(configured)
        return self._known[name]

    def info(self) -> dict[str, Any]:
        """``{source, version, date, region, models}`` for the manifest: which book priced each model asked for, and its rates.

        ``version`` is that of genai-prices, None when every price came from the configuration. ``date`` is the day whose list
        prices were taken. A model without a price is ``None``.
        """
        sources = sorted({price.source for price in self._known.values() if price is not None})
        return {
            "source": " + ".join(sources) or None,
            "version": _list_version() if "genai-prices" in sources else None,
            "date": self._on.isoformat(),
            "region": self._region,
            "models": {name: None if price is None else price.to_dict() for name, price in sorted(self._known.items())},
        }


def _configured(price: ConfiguredPrice) -> ModelPrice:
    def rate(usd: float | None) -> Rate | None:
        return None if usd is None else Rate(Decimal(str(usd)))

    return ModelPrice(
        input=Rate(Decimal(str(price.input))),
        output=Rate(Decimal(str(price.output))),
        cache_read=rate(price.cache_read),
        cache_write=rate(price.cache_write),
        source="config",
    )


def _priced_by_the_token(model_id: str) -> bool:
    """Provisioned, custom and imported models are billed by the hour, whatever name stands inside their ARN."""
    return not model_id.startswith("arn:") or _TOKEN_PRICED_ARN.fullmatch(model_id) is not None


def _listed(model_id: str, on: date) -> ModelPrice | None:
    if not _priced_by_the_token(model_id):
        return None
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, model = get_snapshot().find_provider_model(model_id, None, "aws", None)
    except LookupError:
        return None
    prices = model.get_prices(datetime.combine(on, time(12), UTC))
    return _from_list(prices)


def _from_list(prices: Any) -> ModelPrice | None:
    """genai-prices charges cached tokens that have no rate of their own as input tokens."""
    paid_in, paid_out = _rate(prices.input_mtok), _rate(prices.output_mtok)
    if paid_in is None or paid_out is None:
        return None
    return ModelPrice(
        input=paid_in,
        output=paid_out,
        cache_read=_rate(prices.cache_read_mtok) or paid_in,
        cache_write=_rate(prices.cache_write_mtok) or paid_in,
        source="genai-prices",
    )


def _rate(price: Any) -> Rate | None:
    if price is None or isinstance(price, Decimal):
        return None if price is None else Rate(price)
    return Rate(price.base, tuple((tier.start, tier.price) for tier in price.tiers))


def _list_version() -> str:
    from importlib.metadata import version

    return version("genai-prices")
