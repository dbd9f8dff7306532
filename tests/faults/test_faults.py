"""The fault matrix: every fault once, through the real command, with an endpoint's ledger as the judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import answers as answers
from tests.faults import processes as processes
from tests.faults.trials import FAULTS


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_lost(name: str, tmp_path: Path) -> None:
    result = FAULTS[name](tmp_path)
    assert result.unaccounted == 0
