"""The stamps of a part, also of one that an earlier version wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fmbench.report.token_gaps import PLACED, token_gaps
from fmbench.storage.stamps import STAMPS, StampedPart
from tests.report.support import Study, make, store


def without(part: Path, *names: str) -> None:
    pq.write_table(pq.read_table(part).drop(list(names)), part)


@pytest.mark.parametrize("missing", ["rate_per_min", "intended_at"])
def test_a_part_that_has_no_such_column_yet_gives_the_same_gaps(missing: str, tmp_path: Path) -> None:
    run = store(make(Study(requests=60)), tmp_path / "run")
    whole = token_gaps(run.folder.records, run.cells)
    for part in run.folder.records.iterdir():
        without(part, missing)
    found = token_gaps(run.folder.records, run.cells)
    assert [*found] == [*whole] != []
    assert all(np.array_equal(found[model], whole[model]) for model in whole)


def test_a_part_without_stamps_gives_no_gaps(tmp_path: Path) -> None:
    run = store(make(Study(requests=60)), tmp_path / "run")
    for part in run.folder.records.iterdir():
        without(part, STAMPS)
        assert not StampedPart(part, PLACED).known.any()
    assert token_gaps(run.folder.records, run.cells) == {}


@pytest.mark.parametrize("missing", ["phase", "sent_at"])
def test_of_a_part_that_does_not_say_which_requests_count_none_does(missing: str, tmp_path: Path) -> None:
    run = store(make(Study(requests=60)), tmp_path / "run")
    for part in run.folder.records.iterdir():
        without(part, missing)
    assert token_gaps(run.folder.records, run.cells) == {}


def test_a_part_of_no_rows_has_no_stamps(tmp_path: Path) -> None:
    columns = {name: pa.array([], pa.float64()) for name in PLACED}
    pq.write_table(pa.table(columns), tmp_path / "part.parquet")
    part = StampedPart(tmp_path / "part.parquet", PLACED)
    assert (len(part.rows), len(part.known)) == (0, 0)
