"""The fault matrix: every fault once, through the real command, with an endpoint's ledger as the judge."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import answers as answers
from tests.faults import crews as crews
from tests.faults import endings as endings
from tests.faults import processes as processes
from tests.faults import stored as stored
from tests.faults import writes as writes
from tests.faults.trials import FAULTS, unaccounted


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_lost(name: str, tmp_path: Path) -> None:
    assert FAULTS[name](tmp_path).unaccounted == 0


@pytest.mark.parametrize(
    ("sent", "surely", "perhaps", "lost", "expected"),
    [(10, 10, 0, 0, 0), (10, 8, 2, 0, 0), (10, 8, 0, 1, 1), (10, 12, 0, 0, -2), (10, 9, 3, 0, 0), (10, 11, 3, 0, -1)],
)
def test_the_judge_sees_what_is_missing_and_what_is_too_much(
    sent: int, surely: int, perhaps: int, lost: int, expected: int
) -> None:
    assert unaccounted(sent, surely, perhaps, lost) == expected
