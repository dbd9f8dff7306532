"""Numbers as people read them: three significant digits, a unit, an interval beside them, and a reason where there is none.

Units stand behind a narrow no-break space (U+202F), so that a number and its unit never part at a line's end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeGuard

from fmbench.core.figures.figure import Absent, Figure
from fmbench.core.units import DOLLARS, PER_CENT, SECONDS
from fmbench.report.wording import digits, dollars

THIN = "\u202f"
DASH = "—"
TO = "\u2013"
"""The dash of a range."""
Number = float | int | None


def known(value: object) -> TypeGuard[float]:
    """Whether ``value`` is a finite number (not None, NaN, an infinity or text)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def plain(value: Number, unit: str = "", significant: int = 3) -> str:
    """A number with its unit, or a dash."""
    if not known(value):
        return DASH
    return digits(value, significant) + (f"{THIN}{unit}" if unit else "")


def count(value: Number) -> str:
    """A whole number, every digit of it: 14,212."""
    return DASH if not known(value) else f"{int(value):,}"


def seconds(value: Number) -> str:
    """A duration: milliseconds under a tenth of a second, else seconds."""
    if not known(value):
        return DASH
    return plain(value * 1000, "ms") if 0 < abs(value) < 0.1 else plain(value, "s")


def as_limit(value: float, unit: str) -> str:
    """A limit as it was given, with its unit."""
    return f"{value:,.6g}{THIN}{unit}".rstrip(THIN)


def figure_value(figure: Figure, value: Number) -> str:
    """A figure's value in its own unit."""
    if figure.unit is SECONDS:
        return seconds(value)
    if figure.unit is PER_CENT:
        return share(value)
    return usd(value) if figure.unit is DOLLARS else plain(value, figure.unit.after)


def absence(why: Absent | None) -> str:
    """Why there is no value, in a few words."""
    if why is None:
        return ""
    if why.reason == "too_few":
        return f"needs {count(why.needed)}, has {count(why.seen)}"
    return {"none_seen": "none seen", "nothing_answered": "nothing answered", "price_unknown": "price unknown"}[why.reason]


def limit_words(figure: Figure, limit: float) -> str:
    """A limit on a figure as it was given, in the figure's unit."""
    sign = "$" if figure.unit is DOLLARS else ""
    return f"{sign}{as_limit(limit * figure.unit.scale, figure.unit.after)}"


def share(value: Number) -> str:
    """A share as per cent: one decimal, more of them near 0 and 100, which are never reached by rounding."""
    if not known(value):
        return DASH
    return f"{_percent(100 * value)}{THIN}%"


def _percent(percent: float) -> str:
    if percent in (0, 100):
        return str(int(percent))
    places = next(
        (places for places in range(1, 5) if f"{percent:.{places}f}" not in (f"{0:.{places}f}", f"{100:.{places}f}")), 5
    )
    return f"{percent:.{places}f}"


def usd(value: Number) -> str:
    """An amount of dollars, as the summary's sentences say it."""
    return dollars(value) if known(value) else DASH


def interval(pair: Sequence[float | None] | None, like: Number = None, kind: str = "s") -> str:
    """``(low to high)``, with a dash, in the unit that ``like`` is shown in, or nothing when there is no interval.

    ``kind`` is ``s`` (seconds), ``%``, ``$`` or empty.
    """
    if pair is None or len(pair) != 2 or not all(known(end) for end in pair):
        return ""
    low, high = (float(end) for end in pair if known(end))
    if kind == "%":
        return f"({_percent(100 * low)}{TO}{_percent(100 * high)})"
    if kind == "$":
        return f"({usd(low)}{TO}{usd(high)})"
    scale = 1000 if kind == "s" and known(like) and 0 < abs(like) < 0.1 else 1
    return f"({digits(low * scale)}{TO}{digits(high * scale)})"


def listed(items: Sequence[str], joint: str = "and") -> str:
    """``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {joint} {items[-1]}"


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """``1 request``, ``2 requests``."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
