"""Units of figures: how values are written. The report writes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """How values are written. ``scale``: what they are multiplied by first."""

    symbol: str
    after: str = ""
    """What follows the number: ``s``, ``%``, ``a minute``."""
    per: str = ""
    """What a limit is said to be for, behind the unit."""
    scale: float = 1


SECONDS = Unit("s", "s")
PER_CENT = Unit("%", "%", scale=100)
DOLLARS = Unit("$", per="per 10,000")
A_MINUTE = Unit("/min", "a minute")
SCORE = Unit("")
