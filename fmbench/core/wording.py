"""How sentences in the summary say numbers, objectives and lists."""

from __future__ import annotations

import math
from collections.abc import Iterable


def digits(value: float, significant: int = 3) -> str:
    """``value`` to so many significant digits, with thousands parted and no exponent: 0.0214, 1.21, 14,200."""
    if value == 0:
        return "0"
    places = significant - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    if rounded and math.floor(math.log10(abs(rounded))) > math.floor(math.log10(abs(value))):
        places -= 1
    return f"{rounded:,.{max(places, 0)}f}"


def dollars(value: float) -> str:
    """An amount of dollars: cents, or three significant digits below one dollar."""
    if value == 0 or abs(value) >= 1:
        return f"${value:,.2f}" if abs(value) < 1000 else f"${value:,.0f}"
    return f"${digits(value)}"


def amount(value: float, unit: str) -> str:
    """``1.21 s``, ``21.4 ms``, ``$1.74``, ``$0.0214``, ``512 /min``: three significant digits, of dollars the cents."""
    if not math.isfinite(value):
        return "unknown"
    if unit == "$":
        return dollars(value)
    if unit == "s" and 0 < abs(value) < 0.1:
        value, unit = 1000 * value, "ms"
    return f"{digits(value)} {unit}".rstrip()


def count_of(number: int, noun: str) -> str:
    """``1 user``, ``2 users``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def joined(items: Iterable[str]) -> str:
    """``a, b and c``."""
    words = list(items)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def limit_text(name: str, limit: float) -> str:
    """``TTFT p95 of at most 1.5 s``, ``an error rate of at most 1 %``."""
    if name == "error_rate":
        return f"an error rate of at most {100 * limit:g} %"
    if name == "usd_per_10k":
        return f"a cost of at most {amount(limit, '$')} for 10,000"
    if name == "transactions_per_minute":
        return f"at least {limit:g} transactions a minute"
    if name == "quality_min":
        return f"a quality of at least {limit:g}"
    return f"{latency_text(name)} of at most {limit:g} s"


def value_text(name: str, value: float) -> str:
    """``6.86 s``, ``4.2 %``, ``$31.50``: the value of an objective's figure, in its unit."""
    if name == "error_rate":
        return amount(100 * value, "%")
    return amount(value, "$" if name == "usd_per_10k" else "s" if name.endswith("_s") else "")


def latency_text(name: str) -> str:
    """``TTFT p95`` for ``ttft_p95_s``."""
    metric, figure = name.split("_")[:2]
    return f"{ {'e2e': 'end-to-end'}.get(metric, metric.upper()) } {figure}"
