"""Numbers as people read them: three significant digits, a unit, an interval beside them, and a reason where there is none.

Units stand behind a narrow no-break space (U+202F), so that a number and its unit never part at a line's end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

THIN = "\u202f"
DASH = "—"
Number = float | int | None


def known(value: object) -> bool:
    """Whether ``value`` is a finite number (not None, NaN, an infinity or text)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def digits(value: float, significant: int = 3) -> str:
    """``value`` to so many significant digits, with thousands parted and no exponent: 0.0214, 1.21, 14,200."""
    if value == 0:
        return "0"
    places = significant - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    if rounded and math.floor(math.log10(abs(rounded))) > math.floor(math.log10(abs(value))):
        places -= 1
    return f"{rounded:,.{max(places, 0)}f}"


def plain(value: Number, unit: str = "", significant: int = 3) -> str:
    """A number with its unit, or a dash."""
    if not known(value) or value is None:
        return DASH
    return digits(value, significant) + (f"{THIN}{unit}" if unit else "")


def count(value: Number) -> str:
    """A whole number, every digit of it: 14,212."""
    return DASH if not known(value) or value is None else f"{int(value):,}"


def seconds(value: Number) -> str:
    """A duration: milliseconds under a tenth of a second, else seconds."""
    if not known(value) or value is None:
        return DASH
    return plain(value * 1000, "ms") if 0 < abs(value) < 0.1 else plain(value, "s")


def share(value: Number) -> str:
    """A share as per cent: one decimal, and never a rounded-up 100 %."""
    if not known(value) or value is None:
        return DASH
    percent = 100 * value
    shown = f"{percent:.1f}"
    if shown == "100.0":
        shown = "100" if value == 1 else "> 99.9"
    if shown == "0.0":
        shown = "0" if value == 0 else "< 0.1"
    return f"{shown}{THIN}%"


def usd(value: Number) -> str:
    """An amount of dollars: cents, or three significant digits below one dollar."""
    if not known(value) or value is None:
        return DASH
    if value == 0 or abs(value) >= 1:
        return f"${value:,.2f}" if abs(value) < 1000 else f"${value:,.0f}"
    return f"${digits(value)}"


def interval(pair: Sequence[float | None] | None, like: Number = None, kind: str = "s") -> str:
    """``(low–high)`` in the unit that ``like`` is shown in, or nothing when there is no interval.

    ``kind`` is ``s`` (seconds), ``%``, ``$`` or empty.
    """
    if pair is None or len(pair) != 2 or not all(known(end) for end in pair):
        return ""
    low, high = (float(end) for end in pair if end is not None)
    if kind == "%":
        return f"({_bare(share(low))}–{_bare(share(high))})"
    if kind == "$":
        return f"({usd(low)}–{usd(high)})"
    scale = 1000 if kind == "s" and known(like) and like is not None and 0 < abs(like) < 0.1 else 1
    return f"({digits(low * scale)}–{digits(high * scale)})"


def _bare(text: str) -> str:
    return text.replace(f"{THIN}%", "")


def listed(items: Sequence[str], joint: str = "and") -> str:
    """``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {joint} {items[-1]}"


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """``1 request``, ``2 requests``."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
