"""Routes side by side, from records made by hand: what differs is found with its size, what does not is not called different."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fmbench.core.cells import measured_cells
from fmbench.core.routes import RouteDifference, route_differences
from fmbench.core.table import read
from tests.unit.made import Cellful, row, run_of

ROUTES = ("default", "priority", "again")
MODELS = [{"label": f"nova ({name})", "id": "nova", "route": name, "route_of": "nova"} for name in ROUTES]


def _study(rng: np.random.Generator, gaps: dict[str, float], usd: dict[str, float], blocks: int = 2) -> list[RouteDifference]:
    """``gaps``: seconds that a route's times to first token are over the first one's."""
    prompts, cells = rng.normal(0, 0.2, 40), []
    for block in range(blocks):
        hour = rng.normal(0, 0.2)
        for place, name in enumerate(ROUTES):
            start = 100.0 * (block * len(ROUTES) + place)
            rows: list[dict[str, Any]] = []
            for number, prompt in enumerate(rng.permutation(np.tile(np.arange(40), 3))):
                first = float(np.exp(prompts[prompt] + hour + rng.normal(0, 0.3))) + gaps.get(name, 0.0)
                times = {"ttft_s": first, "e2e_s": first + 1, "usd": usd.get(name, 0.001), "block": block}
                rows.append(row(start + 0.05 * number, first + 1, prompt_id=f"p{prompt}", **times))
            line = {"block": block, "route": name}
            cells.append(Cellful(rows, model=f"nova ({name})", start=start, line=line))
    records, manifest = run_of(cells)
    return route_differences(measured_cells(read(records), manifest["cells"], {}), MODELS)


def test_a_faster_and_dearer_route_is_found_with_its_size() -> None:
    found = _study(np.random.default_rng(3), {"priority": -0.4}, {"priority": 0.00175})
    by_name = {(each.route_b, each.figure): each for each in found}
    tail, cost = by_name["priority", "ttft_p95_s"], by_name["priority", "usd"]
    assert tail.ci95[0] <= -0.4 <= tail.ci95[1]
    assert (tail.route_a, tail.paired, tail.n_a, tail.n_b) == ("default", True, 240, 240)
    median = by_name["priority", "ttft_p50_s"]
    assert median.differs
    assert median.ci95[0] <= -0.4 <= median.ci95[1]
    assert cost.difference == pytest.approx(1.75)
    assert (cost.a, cost.b) == pytest.approx((0.001, 0.00175))
    assert cost.differs
    assert not any(each.differs for each in found if each.route_b == "again")
    assert by_name["again", "usd"].difference == pytest.approx(1.0)


def test_arms_that_are_the_same_are_called_different_in_few_studies() -> None:
    rng = np.random.default_rng(11)
    studies = [_study(rng, {}, {}) for _ in range(24)]
    assert sum(any(each.differs for each in found) for found in studies) <= 5, "1.2 expected; 6 are seen once in 500 times"


def test_models_without_routes_have_no_differences() -> None:
    records, manifest = run_of([Cellful([row(number) for number in range(10)])])
    assert route_differences(measured_cells(read(records), manifest["cells"], {}), [{"label": "a", "id": "a"}]) == []
