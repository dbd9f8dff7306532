"""How sentences say numbers, limits and lists."""

from __future__ import annotations

import math
from collections.abc import Iterable

from fmbench.core.figures.registry import of_objective
from fmbench.core.units import DOLLARS, Unit


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


def level_text(users: int, rate_per_min: float | None = None) -> str:
    """``2 users``, or of an open loop ``600 requests a minute``."""
    if rate_per_min is None:
        return count_of(users, "user")
    return f"{level_digits(rate_per_min)} request{'' if rate_per_min == 1 else 's'} a minute"


def level_digits(level: float) -> str:
    """A level's number: ``600``, ``7.5``, ``12,000``."""
    return f"{level:,.10g}"


def joined(items: Iterable[str], joint: str = "and") -> str:
    """``a, b and c``."""
    words = list(items)
    return f" {joint} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def limit_text(name: str, limit: float) -> str:
    """``TTFT p95 ≤ 1.5 s``, ``error rate ≤ 1 %``, ``throughput ≥ 60 a minute``: an objective by its configuration key."""
    figure = of_objective(name)
    return f"{figure.title} {'≤' if figure.less_is_better else '≥'} {limit_amount(figure.unit, limit)}"


def limit_amount(unit: Unit, limit: float) -> str:
    """A limit as it was given, with its unit."""
    number = f"{limit * unit.scale:,.6g}"
    return " ".join(part for part in (f"${number}" if unit is DOLLARS else number, unit.after, unit.per) if part)


def value_text(unit: Unit, value: float) -> str:
    """``6.86 s``, ``4.2 %``, ``$31.50``, ``512 a minute``: a figure in its unit."""
    return amount(value * unit.scale, unit.after or unit.symbol)
