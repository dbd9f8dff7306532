"""Numbers that were written with a unit, as the key takes them: ``1500ms`` is 1.5 seconds, ``5%`` is 0.05, ``$5`` is 5."""

from __future__ import annotations

import re
from typing import Any

_WRITTEN = re.compile(r"\$?\s*(\d[\d,_]*\.?\d*|\.\d+)\s*([A-Za-z%$]*)")
_SECONDS = {
    **dict.fromkeys(("ms", "msec", "milliseconds", "millis"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600),
}
_COUNTS = {"": 1, "$": 1, "usd": 1, "dollars": 1, "k": 1000, "mio": 1_000_000, "million": 1_000_000}
SHARES = frozenset({"error_rate", "answered_share", "quality_min", "cached_share", "stay_under_quota", "confidence", "tolerance"})
"""Keys whose values are shares of 1, and are easily written in per cent."""


def in_the_keys_unit(key: str, value: Any) -> str | None:
    """What to write instead of a text with a unit; None where it tells no number, or the unit is not of this key."""
    found = _WRITTEN.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    number, unit = float(found[1].replace(",", "").replace("_", "")), found[2].lower()
    if value.strip() == found[1]:
        return f"{number:.12g}, without quotes or commas"
    if unit == "%":
        return f"{number / 100:.6g}, a share of 1" if key in SHARES else None
    if key.endswith("_s"):
        return f"{number * _SECONDS[unit]:.12g}, in seconds" if unit in _SECONDS else None
    return f"{number * _COUNTS[unit]:.12g}, without a unit" if unit in _COUNTS else None


def in_seconds(key: str, value: Any) -> str:
    """What an unknown key in milliseconds asks for, in seconds; nothing of another."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f", in seconds: {value / 1000:.6g}" if number and key.endswith("_ms") else ""


def as_share(key: str, value: Any) -> str:
    """The share that a number of per cent is, for a key that takes shares; nothing of another."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f": {value:g} % is {value / 100:.6g}" if number and key in SHARES and 1 < value <= 100 else ""
