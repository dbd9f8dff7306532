"""How sentences in the summary say numbers, objectives and lists."""

from __future__ import annotations

import math
from collections.abc import Iterable


def amount(value: float, unit: str) -> str:
    """``1.21 s``, ``21.4 ms``, ``$0.0214``, ``512 /min``: three significant digits."""
    if unit == "s" and 0 < abs(value) < 0.1:
        value, unit = 1000 * value, "ms"
    if value == 0 or not math.isfinite(value):
        digits = "0" if value == 0 else "unknown"
    else:
        places = max(0, 2 - math.floor(math.log10(abs(value))))
        digits = f"{value:,.{places}f}"
    return f"${digits}" if unit == "$" else f"{digits} {unit}".rstrip()


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


def latency_text(name: str) -> str:
    """``TTFT p95`` for ``ttft_p95_s``."""
    metric, figure = name.split("_")[:2]
    return f"{ {'e2e': 'end-to-end'}.get(metric, metric.upper()) } {figure}"
