"""``docs/models.md``: the models of the shipped configurations, as ``fmbench-load models --markdown`` writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from importlib.metadata import version

from fmbench.config.shipped import shipped
from fmbench.core.model_facts import AS_OF, SOURCE, Facts, Thinks, facts_of, geo_of
from fmbench.core.prices.book import PriceBook

_HEAD = """\
# Models

Written by `fmbench-load models --markdown`.

- Ids, APIs and what models turn down: as of {as_of}, from {source}.
  They give advice and defaults; the service has the last word.
- Prices: USD for a million tokens in us-east-1 on {as_of}, from genai-prices {genai}.
  `?`: not known there; `pricing:` in the file tells it.

| model id | $ input | $ output | APIs on bedrock-runtime | on bedrock-mantle | thinks | turns down | in configuration |
|---|---|---|---|---|---|---|---|
"""
_THINKS = {
    Thinks.NEVER: "no",
    Thinks.ASKED: "when asked",
    Thinks.UNASKED: "unless asked not to",
    Thinks.ALWAYS: "always",
}


def configurations_of_models() -> dict[str, list[str]]:
    """The shipped configurations that each model id stands in, by id."""
    found: dict[str, dict[str, None]] = {}
    for each in shipped():
        for model in each.models:
            found.setdefault(model, {})[each.name] = None
    return {model: list(names) for model, names in sorted(found.items(), key=lambda pair: _order(pair[0]))}


def _order(model: str) -> tuple[str, str]:
    """By maker, whatever the cross-Region prefix."""
    return model.removeprefix(geo_of(model)), model


def page() -> str:
    """The page's text: the same for the same versions."""
    book = PriceBook({}, "us-east-1", on=date.fromisoformat(AS_OF))
    rows = [_row(book, model, names) for model, names in configurations_of_models().items()]
    return _HEAD.format(as_of=AS_OF, source=SOURCE, genai=version("genai-prices")) + "".join(rows)


def _row(book: PriceBook, model: str, names: Iterable[str]) -> str:
    facts = facts_of(model)
    price = book.price_of(model)
    schedule = None if price is None else price.schedule()
    dollars = ("?", "?") if schedule is None else (f"{schedule.base.input:g}", f"{schedule.base.output:g}")
    cells = (f"`{model}`", *dollars, *_apis(facts), _THINKS[facts.thinks], ", ".join(_refused(facts)) or "–", ", ".join(names))
    return f"| {' | '.join(cells)} |\n"


def _refused(facts: Facts) -> Iterator[str]:
    yield from facts.turns_down
    if facts.not_together:
        yield " beside ".join(facts.not_together)
    if facts.efforts is not None and facts.thinks is not Thinks.NEVER:
        yield f"effort but {', '.join(facts.efforts)}" if facts.efforts else "effort"


def _apis(facts: Facts) -> tuple[str, str]:
    return ", ".join(facts.runtime) or "–", ", ".join(facts.mantle) or "–"
