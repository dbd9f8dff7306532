"""What is held outlives its folder and its writer; what lives elsewhere, or was written again, is left alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fmbench.storage.held import Held, holding
from tests.e2e.commands import wait_until


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run" / "journal").mkdir(parents=True)
    return tmp_path / "run"


@pytest.fixture
def held(run: Path) -> Iterator[Held]:
    with holding(run) as found:
        yield found


def _open_here() -> list[str]:
    """What this process has open."""
    paths = []
    for number in os.listdir("/proc/self/fd"):
        try:
            paths.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            continue
    return paths


def _is_open(path: Path) -> Callable[[], bool]:
    return lambda: str(path) in _open_here()


def test_what_was_deleted_with_its_folder_is_written_again(run: Path, held: Held) -> None:
    journal, cells = run / "journal" / "w.jsonl", run / "cells.jsonl"
    journal.write_text("one\n")
    cells.write_text("a cell\n")
    wait_until(_is_open(journal))
    wait_until(_is_open(cells))
    with journal.open("a") as file:
        file.write("two\n")
    shutil.rmtree(run)
    held.put_back()
    assert journal.read_text() == "one\ntwo\n" and cells.read_text() == "a cell\n"


def test_a_folder_that_was_moved_is_not_made_again(run: Path, held: Held) -> None:
    journal = run / "journal" / "w.jsonl"
    journal.write_text("one\n")
    wait_until(_is_open(journal))
    run.rename(run.with_name("elsewhere"))
    held.put_back()
    assert not run.exists()


def test_what_its_writer_wrote_again_stays_as_it_is(run: Path, held: Held) -> None:
    journal = run / "journal" / "w.jsonl"
    journal.write_text("one\n")
    wait_until(_is_open(journal))
    journal.unlink()
    journal.write_text("one\ntwo\n")
    held.put_back()
    assert journal.read_text() == "one\ntwo\n"


def test_nothing_stays_open(run: Path) -> None:
    journal = run / "journal" / "w.jsonl"
    journal.write_text("one\n")
    with holding(run):
        wait_until(_is_open(journal))
    assert str(journal) not in _open_here()


def test_a_folder_that_goes_while_it_is_looked_through_ends_no_watch(
    run: Path, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    glob = Path.glob

    def gone(path: Path, pattern: str) -> Iterator[Path]:
        looked.append(pattern)
        if len(looked) < 6:
            raise FileNotFoundError(path)
        return iter(list(glob(path, pattern)))

    monkeypatch.setattr(Path, "glob", gone)
    wait_until(lambda: len(looked) >= 6)
    journal = run / "journal" / "w.jsonl"
    journal.write_text("one\n")
    wait_until(_is_open(journal))


def test_no_more_files_are_held_than_leave_room(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    glob = Path.glob
    monkeypatch.setattr("fmbench.storage.held.MOST_HELD", 2)
    monkeypatch.setattr(Path, "glob", lambda path, pattern: looked.append(pattern) or glob(path, pattern))
    for number in range(4):
        (run / "journal" / f"w{number}.jsonl").write_text("one\n")
    with holding(run):
        wait_until(lambda: len(looked) > 6)  # it has looked twice at everything
        assert len([path for path in _open_here() if path.startswith(str(run))]) == 2
