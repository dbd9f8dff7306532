"""Sums of products do not depend on the machine's cores, and labels are numbered alike by counting and by sorting."""

from __future__ import annotations

import math
import os
import subprocess
import sys

import numpy as np
import pytest

from fmbench.core.clusters import numbered
from fmbench.core.sums import inner, squares

PROGRAM = """
import numpy as np
from fmbench.core.intervals import dependence
from fmbench.core.clusters import Common
generator = np.random.default_rng(1)
series, users = generator.lognormal(size=60_000), generator.integers(0, 50, 60_000)
print(dependence(series + users / 100, Common(None, users)).design_effect.hex())
"""


def test_are_those_of_exact_arithmetic() -> None:
    generator = np.random.default_rng(0)
    left, right = generator.normal(size=(2, 50_001))
    assert inner(left, right) == pytest.approx(math.fsum(a * b for a, b in zip(left, right, strict=True)), abs=1e-9)
    assert squares(left) == pytest.approx(math.fsum(value**2 for value in left), rel=1e-13)


def test_a_design_effect_is_the_same_to_the_last_bit_on_one_core_and_on_two() -> None:
    found = {_printed(OPENBLAS_NUM_THREADS=count, OMP_NUM_THREADS=count, MKL_NUM_THREADS=count) for count in ("1", "2")}
    assert len(found) == 1


def _printed(**more: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env=os.environ | more
    ).stdout


@pytest.mark.parametrize("span", [1, 7, 900, 10_000_000_000])
def test_labels_are_numbered_in_their_order_however_far_apart_they_lie(span: int) -> None:
    labels = np.random.default_rng(2).integers(-span, span + 1, 3_000)
    places = {label: place for place, label in enumerate(sorted(set(labels.tolist())))}
    assert numbered(labels).tolist() == [places[label] for label in labels.tolist()]
    assert numbered(labels[:0]).tolist() == []
