"""Prices against a list of others: ``python -m benchmarks.prices [--list FILE] [--each]``. A row a provider of models.

10,000 requests of each kind that the independent list prices are worked out from its rates, and asked of the price book: plain
ones, ones with tokens read from the cache, written for 5 minutes and for an hour, a prompt exactly as long as a step and one
longer, and both service tiers. *Equal*: to the cent. *Foreign* and *unknown*: the book says so of its price, or has none.
*Different*: it says a price, claims it for that region, and it is another. ``--each`` prints those.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.prices.transcribed import RELEASE, Listed, fetched, listed
from fmbench.core.prices.book import PriceBook
from fmbench.core.prices.price import Price
from fmbench.core.prices.route import Route
from fmbench.core.records import Usage

REQUESTS = 10_000
COLUMNS = ("equal", "foreign", "unknown", "different")
_STEP = re.compile(r"^input_cost_per_token_above_(\d+)k_tokens$")


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request: its tokens, its tier, and what the list makes of one."""

    name: str
    usage: Usage
    usd: Decimal
    tier: str | None = None


def cases(rates: Mapping[str, Any]) -> Iterator[Case]:
    """Every kind of request that the list has the rates of."""

    def rate(name: str) -> Decimal | None:
        return None if rates.get(name) is None else Decimal(repr(rates[name]))

    def case(name: str, counts: Mapping[str, int], ending: str = "", tier: str | None = None) -> Iterator[Case]:
        names = {
            "input": f"input_cost_per_token{ending}",
            "output": f"output_cost_per_token{ending}",
            "read": f"cache_read_input_token_cost{ending}",
            "write": f"cache_creation_input_token_cost{ending}",
            "hour": f"cache_creation_input_token_cost_above_1hr{ending}",
        }
        costs = {kind: rate(names[kind]) for kind in counts}
        if all(cost is not None for cost in costs.values()):
            usd = sum((cost * counts[kind] for kind, cost in costs.items() if cost is not None), Decimal(0))
            yield Case(name, _usage(counts), usd, tier)

    yield from case("plain", {"input": 1234, "output": 321})
    yield from case("cache read", {"input": 34, "read": 1200, "output": 321})
    yield from case("cache write", {"input": 34, "write": 1200, "output": 321})
    yield from case("cache write for an hour", {"input": 34, "hour": 1200, "output": 321})
    for tier in ("flex", "priority"):
        yield from case(tier, {"input": 1234, "output": 321}, f"_{tier}", tier)
    for step in (int(match[1]) for name in rates if (match := _STEP.match(name))):
        yield from case(f"{step}k", {"input": 1000 * step, "output": 321})
        yield from case(f"above {step}k", {"input": 1000 * step + 1, "output": 321}, f"_above_{step}k_tokens")


def _usage(counts: Mapping[str, int]) -> Usage:
    hour = counts.get("hour", 0)
    return Usage(
        input_tokens=counts["input"],
        output_tokens=counts["output"],
        cache_read_tokens=counts.get("read", 0),
        cache_write_tokens=counts.get("write", 0) + hour,
        cache_write_1h_tokens=hour,
    )


def judged(price: Price | None, case: Case) -> str:
    """One of ``COLUMNS``."""
    usd = None if price is None else price.usd(case.usage, case.tier)
    if price is None or usd is None:
        return "unknown"
    if price.taken_from is not None:
        return "foreign"
    return "equal" if abs(Decimal(repr(usd)) - case.usd) * REQUESTS < Decimal("0.01") else "different"


def _line(row: Listed, case: Case, price: Price | None) -> str:
    ours = None if price is None else price.usd(case.usage, case.tier)
    return f"{row.model_id} {row.region} {case.name}: {float(case.usd) * REQUESTS:.2f}, the book says {ours and ours * REQUESTS}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", type=Path, help=f"the list as a JSON file; left out: that of {RELEASE} is fetched")
    parser.add_argument("--each", action="store_true", help="print each price that differs")
    given = parser.parse_args()
    prices = fetched() if given.list is None else json.loads(given.list.read_text())
    counts: dict[str, Counter[str]] = {}
    seen: dict[str, set[str]] = {}
    for row in listed(prices):
        provider = Route(row.model_id).provider
        price = PriceBook({}, row.region).price_of(row.model_id)
        seen.setdefault(provider, set()).update((row.model_id, row.region))
        for case in cases(row.rates):
            verdict = judged(price, case)
            counts.setdefault(provider, Counter())[verdict] += 1
            if given.each and verdict == "different":
                print(_line(row, case, price))
    _print(counts, seen)


def _print(counts: Mapping[str, Counter[str]], seen: Mapping[str, set[str]]) -> None:
    print(f"| provider | ids | regions | {' | '.join(COLUMNS)} |\n|---|--:|--:|{'--:|' * len(COLUMNS)}")
    for provider in sorted(counts):
        ids = {name for name in seen[provider] if "." in name}
        cells = (len(ids), len(seen[provider] - ids), *(counts[provider][column] for column in COLUMNS))
        print(f"| {provider} | {' | '.join(map(str, cells))} |")
    ids = {name for names in seen.values() for name in names if "." in name}
    regions = {name for names in seen.values() for name in names} - ids
    total: Counter[str] = sum(counts.values(), Counter())
    print(f"| all | {len(ids)} | {len(regions)} | {' | '.join(str(total[column]) for column in COLUMNS)} |")


if __name__ == "__main__":
    main()
