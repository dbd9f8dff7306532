"""Sums of products that are the same to the last bit on any number of cores.

NumPy's ``@`` of long arrays is cut into a part a core, which takes other roundings on another machine, and hundreds of times as
long while other work has the cores.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray


def inner(left: NDArray[Any], right: NDArray[Any]) -> float:
    """The sum of the products of two series."""
    return float((left * right).sum())


def squares(series: NDArray[Any]) -> float:
    """The sum of the squares of a series."""
    return inner(series, series)
