"""Records that are read on demand are the records: held against the whole of them in memory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fmbench.core.summary import summarise, summarise_table
from fmbench.core.table import NUMBERS, WORDS, Table, read
from fmbench.report.summary import worded
from fmbench.storage import record_table
from fmbench.storage.reader import open_run
from fmbench.storage.table import SCHEMA
from tests.report.support import HAIKU, LLAMA, NOVA, Study, make, store


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose cells lie over several load processes' parts, one of an earlier version, one empty, with nulls everywhere."""
    made = make(Study(models=(LLAMA, NOVA, HAIKU), requests=500))
    made.frame.loc[::7, "prompt_tokens"] = None
    made.frame.loc[::11, "cell"] = None
    made.frame.loc[::5, "sent_at"] = None
    made.frame.loc[::13, "max_tokens"] = 2**40 + 1
    made.frame.loc[::17, "e2e_s"] = np.inf
    made.frame.loc[::19, "sent_at"] = -np.inf
    made.frame.loc[::9, "stop_reason"] = [f"reason-{place % 300}" for place in range(len(made.frame.loc[::9]))]
    path = tmp_path_factory.mktemp("table") / "run"
    store(made, path)
    for old in (path / "records").iterdir():
        old.unlink()
    order = np.random.default_rng(3).permutation(len(made.frame))
    for number, places in enumerate([*np.array_split(order, 5), order[:0]]):
        rows = made.frame.iloc[np.sort(places)].reindex(columns=SCHEMA.names)
        part = pa.Table.from_pandas(rows, schema=SCHEMA, preserve_index=False)
        kept = part.drop(["ttft_read_s", "answered"]) if number == 2 else part
        pq.write_table(kept, path / "records" / f"part-w{number}-00000.parquet", row_group_size=1_000)
    return path


def whole(folder: Path) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(path) for path in sorted((folder / "records").glob("*.parquet"))], ignore_index=True)


def words_of(table: Table, name: str) -> list[str | None]:
    column = table.rows.words[name]
    return [None if code < 0 else column.names[code] for code in column.codes]


@pytest.mark.parametrize(("room", "a_row"), [(1, 0), (record_table.ROOM, record_table.PIECES_A_ROW)])
def test_every_cell_and_column_is_the_same(folder: Path, room: int, a_row: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, bytes_kept in (("ROOM", room), ("ROOM_A_ROW", a_row), ("PIECES_A_ROW", a_row)):
        monkeypatch.setattr(record_table, name, bytes_kept)
    ours, theirs = open_run(str(folder)).table(), read(whole(folder))
    assert ours.slices == theirs.slices
    for (cell, rows), (also, expected) in zip(ours.cells(), theirs.cells(), strict=True):
        assert (cell, len(rows)) == (also, len(expected))
        for name in NUMBERS:
            np.testing.assert_array_equal(rows.number(name), expected.number(name), err_msg=name)
    for name in WORDS:
        assert words_of(ours, name) == words_of(theirs, name)


def test_the_summary_is_the_same_to_the_last_digit(folder: Path) -> None:
    run = open_run(str(folder))
    ours = worded(summarise_table(run.table(), run.manifest, run.health()))
    assert json.dumps(ours) == json.dumps(worded(summarise(whole(folder), run.manifest, run.health())))


def test_a_run_without_requests_is_an_empty_table(tmp_path: Path) -> None:
    store(make(Study(requests=20)), tmp_path / "run")
    for part in (tmp_path / "run" / "records").iterdir():
        part.unlink()
    table = open_run(str(tmp_path / "run")).table()
    assert (len(table.rows), table.slices, table.rows.words["model"].names) == (0, {}, ())


def test_what_fits_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, str]] = []
    read_of = record_table._Parts.column

    def noted(parts: record_table._Parts, group: int, name: str) -> pa.Array | None:
        seen.append((group, name))
        return read_of(parts, group, name)

    run = open_run(str(folder))
    table = run.table()
    monkeypatch.setattr(record_table._Parts, "column", noted)
    summarise_table(table, run.manifest, run.health())
    assert len(seen) == len(set(seen)) > 100


def test_an_infinity_in_a_part_is_nothing_that_was_measured(folder: Path) -> None:
    table = open_run(str(folder)).table()
    assert np.isinf(whole(folder)["e2e_s"]).sum() > 100
    assert not any(np.isinf(table.rows.number(name)).any() for name in ("e2e_s", "sent_at"))
