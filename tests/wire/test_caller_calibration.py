"""Calibration against the simulator: levels that rise, and a measure that is one of the good ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fmbench.core.failures import Refused
from fmbench.load.calibration import LEVELS, PROFILE, calibrate
from tests.support.simulator import Endpoint, simulator

__all__ = ["simulator"]


@pytest.mark.slow
@pytest.mark.timing
def test_calibration_tells_how_many_users_a_process_carries(simulator: Callable[[dict[str, Any]], Endpoint]) -> None:
    endpoint = simulator({"profile": PROFILE})
    found = calibrate(endpoint.url)
    assert [level.users for level in found.levels] == list(LEVELS[: len(found.levels)])
    assert all(level.requests == max(128, 2 * level.users) for level in found.levels)
    assert all(level.good for level in found.levels[:-1])
    assert found.users_per_process == max((level.users for level in found.levels if level.good), default=0)
    last = endpoint.ledger()
    assert len(last) == found.levels[-1].requests
    assert all(0 < level.cpu_us_per_event < 10_000 for level in found.levels)


def test_without_an_endpoint_it_is_refused() -> None:
    with pytest.raises(Refused, match="calibration"):
        calibrate("http://127.0.0.1:1")
