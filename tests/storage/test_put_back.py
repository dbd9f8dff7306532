"""A file that is open and was deleted is written again; one that was moved is left where it is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from fmbench.core.records import Record
from fmbench.load.controller.cell_log import CellLog
from fmbench.storage.journal import JournalWriter, is_written, read_journal
from tests.storage.test_journal import a_record


def _seqs(path: Path) -> list[int]:
    return [row["seq"] for kind, row in read_journal(path) if kind == "intent"]


def _writer(path: Path, *records: Record) -> JournalWriter:
    writer = JournalWriter(path)
    for record in records:
        writer.intent(record)
    return writer


def test_a_deleted_journal_is_written_again_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run" / "journal" / "w.jsonl"
    writer = _writer(path, a_record(1), a_record(2))
    shutil.rmtree(tmp_path / "run")
    writer.put_back()
    assert _seqs(path) == [1, 2]
    assert is_written(path), "nobody seals it: it is still written"
    writer.intent(a_record(3))
    writer.close()
    assert _seqs(path) == [1, 2, 3]
    assert not is_written(path)


def test_closing_writes_a_deleted_journal_again(tmp_path: Path) -> None:
    path = tmp_path / "w.jsonl"
    writer = _writer(path, a_record(1))
    path.unlink()
    writer.close()
    assert _seqs(path) == [1]


def test_a_moved_journal_is_left_where_it_is(tmp_path: Path) -> None:
    path, moved = tmp_path / "run" / "w.jsonl", tmp_path / "moved"
    writer = _writer(path, a_record(1))
    (tmp_path / "run").rename(moved)
    writer.put_back()
    writer.intent(a_record(2))
    writer.close()
    assert not path.exists() and _seqs(moved / "w.jsonl") == [1, 2]


def test_another_file_in_its_place_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "w.jsonl"
    writer = _writer(path, a_record(1))
    path.unlink()
    path.write_text("another's\n")
    writer.close()
    assert path.read_text() == "another's\n"


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    path = tmp_path / "w.jsonl"
    writer = _writer(path, a_record(1))
    path.unlink()
    writer.put_back()
    writer.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_lines_of_cells_are_written_again(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    log = CellLog(tmp_path / "run")
    log.write({"cell": 0, "status": "complete"})
    shutil.rmtree(tmp_path / "run")
    log.write({"cell": 1, "status": "stopped"})
    assert [row["cell"] for row in CellLog(tmp_path / "run").rows] == [0, 1]
