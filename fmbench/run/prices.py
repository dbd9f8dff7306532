"""``fmbench-load prices``: every rate of a model in a region, with its source."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence

from fmbench.config.schema import Config, Model
from fmbench.core.failures import ExitCode
from fmbench.core.prices.book import PriceBook
from fmbench.core.prices.price import Price
from fmbench.core.prices.rates import KINDS, Rates
from fmbench.core.prices.sources.listed import HOME, HOME_REGIONS, known_ids
from fmbench.run.lists import print_table
from fmbench.run.options import Options
from fmbench.run.say import say

COLUMNS = ("model", "served as", "prompt above", *(kind.replace("_", " ") for kind in KINDS), "source")


def command(models: Sequence[str], region: str | None, config_file: str | None, live: bool, as_json: bool) -> int:
    """Print the prices of ``models`` (none: of the configuration, else of the whole list). Unknown is said, never 0."""
    config = None if config_file is None else Options(config=config_file).load().config
    where = region or (config.region if config is not None else None) or HOME
    _question(where)
    book = _book(config, where, live)
    names = [*models] or ([_called(model) for model in config.models] if config is not None else list(known_ids()))
    prices = {name: _price(book, config, name, region) for name in dict.fromkeys(names)}
    if as_json:
        rows = {name: None if price is None else price.to_dict() for name, price in prices.items()}
        json.dump({"region": where, "date": book.info()["date"], "models": rows}, sys.stdout, indent=1)
        print()
        return ExitCode.DONE
    rates = [row for name, price in prices.items() for row in _rows(name, price)]
    print_table(COLUMNS, rows=rates, numbers=COLUMNS[2:-1])
    say(f"USD for a million tokens, requests sent to {where}. ?: not known; pricing: in a configuration tells it.")
    return ExitCode.DONE


def _question(region: str) -> None:
    """Say a region in which no Bedrock is known: it may be mistyped."""
    from fmbench.bedrock.account import bedrock_regions
    from fmbench.run.preflight.region import unknown

    known = () if region in HOME_REGIONS else bedrock_regions()
    if known and region not in known:
        found = unknown(region, known)
        say(f"warning: region {region}: {found.what}. {found.cure}")


def _book(config: Config | None, region: str, live: bool) -> PriceBook:
    pricing = {} if config is None else config.pricing
    if not live:
        return PriceBook(pricing, region)
    from fmbench.bedrock.price_list import fetch_price_list

    return PriceBook(pricing, region, live=fetch_price_list([region]))


def _called(model: Model) -> str:
    """Its id; of a route its name, as routes may share an id."""
    return model.id if model.route is None else model.name


def _price(book: PriceBook, config: Config | None, name: str, region: str | None) -> Price | None:
    """The price of an id, or of a model of the configuration in its own region."""
    if config is not None:
        for model in config.models:
            if name in (model.id, model.name):
                return book.of_model(config, model if region is None else model.model_copy(update={"region": region}))
    return book.price_of(name)


def _rows(name: str, price: Price | None) -> Iterator[list[str]]:
    if price is None:
        yield [name, "", "", *["?"] * len(KINDS), "unknown"]
        return
    source = price.source if price.taken_from is None else f"{price.source}, taken from {price.taken_from}"
    for (tier, latency), schedule in sorted(price.schedules.items()):
        served = tier if latency == "standard" else f"{tier}, {latency}"
        yield [name, served, "", *_cells(schedule.base), source]
        for start, rates in schedule.steps:
            yield [name, served, f"{start:,}", *(["?"] * len(KINDS) if rates is None else _cells(rates)), source]


def _cells(rates: Rates) -> list[str]:
    found = (getattr(rates, kind) for kind in KINDS)
    return ["?" if rate is None else f"{rate.normalize():f}" for rate in found]
