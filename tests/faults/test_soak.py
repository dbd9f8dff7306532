"""Two minutes of the soak; ``make soak`` takes an hour, and then says whether a process grew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.soak import soak


@pytest.mark.slow
@pytest.mark.long
def test_nothing_is_lost_while_everything_fails(tmp_path: Path) -> None:
    seed = "20261127"
    result = soak(tmp_path, 120, seed, every_s=(4, 8))
    said = f"seed {seed}: {result}"
    assert result.sent > 100, said
    assert (result.unaccounted, result.unaccounted_stored) == (0, 0), said
    assert result.stored_runs + result.refused_runs > 0, said
    assert not result.traceback, said
