"""Sums of products that are the same to the last bit on any number of cores.

NumPy's ``@`` of long arrays is cut into a part a core, which takes other roundings on another machine, and hundreds of times as
long while other work has the cores.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


def inner(left: NDArray[Any], right: NDArray[Any]) -> float:
    """The sum of the products of two series."""
    return float((left * right).sum())


def squares(series: NDArray[Any]) -> float:
    """The sum of the squares of a series."""
    return inner(series, series)


class Scatter:
    """How the values of a series lie around their mean, each worked out once, as long series take long."""

    def __init__(self, series: NDArray[np.float64]) -> None:
        self.series = series

    @cached_property
    def mean(self) -> float:
        return float(self.series.mean())

    @cached_property
    def surplus(self) -> NDArray[np.float64]:
        """Each value's distance from the mean."""
        return np.asarray(self.series - self.mean)

    @cached_property
    def squares(self) -> float:
        """The sum of the squared distances."""
        return squares(self.surplus)

    @property
    def variance(self) -> float:
        """That of what the values are a sample of; 0 for fewer than two."""
        return self.squares / (len(self.series) - 1) if len(self.series) > 1 else 0.0
