"""Pictures that processes of their own draw are those that would be drawn here, and a process that dies costs none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fmbench.core.failures import UnusableInput
from fmbench.report import drawing
from fmbench.report.drawing import Drawing, draw
from fmbench.report.picture import Axis, Line, Panel, Picture
from fmbench.report.png import png
from fmbench.report.style import look_of
from fmbench.report.token_gaps import token_gaps
from tests.report.support import Study, make, store


def of_marks(title: str, mark: Any) -> Picture:
    panel = Panel(title="a", x=Axis(label="x"), y=Axis(label="y"), marks=(mark,))
    return Picture(title=title, sentence="", panels=(panel,))


def picture_of(number: int) -> Picture:
    values = np.linspace(0, number, 20)
    line = Line(label=f"line {number}", look=look_of(number), x=values, y=values**2)
    return Picture(
        title=f"Picture {number}", sentence="", panels=[Panel(title="a", x=Axis(label="x"), y=Axis(label="y"), marks=[line])]
    )


PICTURES = [picture_of(number) for number in (1, 2, 3)]
PNGS = [png(picture) for picture in PICTURES]


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Drawing:
    """Drawing in processes of its own, as in a command that has not drawn anything yet."""
    monkeypatch.delitem(sys.modules, "matplotlib")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    return Drawing()


def test_the_same_bytes_in_the_same_order(apart: Drawing) -> None:
    with apart:
        assert apart.draw(PICTURES) == PNGS
        assert len(apart._helpers) == 2
    assert all(helper.returncode is not None for helper in apart._helpers)


def test_pictures_of_a_process_that_died_are_drawn_here(apart: Drawing) -> None:
    with apart:
        apart._helpers[0].kill()
        apart._helpers[0].wait()
        assert apart.draw(PICTURES) == PNGS


def test_token_gaps_are_read_apart_and_are_those_that_are_read_here(apart: Drawing, tmp_path: Path) -> None:
    run = store(make(Study(requests=60)), tmp_path / "run")
    with apart:
        apart_gaps = apart.gaps(run.folder.records, run.cells).result()
        assert apart.draw(PICTURES) == PNGS
    here = token_gaps(run.folder.records, run.cells)
    assert [*apart_gaps] == [*here] != []
    assert all(np.array_equal(apart_gaps[model], here[model]) for model in here)


def test_records_that_cannot_be_read_say_so_in_the_process_that_asked(apart: Drawing, tmp_path: Path) -> None:
    (tmp_path / "part-w0-00000.parquet").write_bytes(b"no parquet")
    with apart, pytest.raises(UnusableInput, match="part-w0-00000"):
        apart.gaps(tmp_path, []).result()


def test_where_the_system_gives_no_more_processes_this_one_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object, **__: object) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.delitem(sys.modules, "matplotlib")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(subprocess, "Popen", none_left)
    with Drawing() as drawing_here:
        assert drawing_here.draw(PICTURES) == PNGS


def test_a_picture_that_cannot_be_drawn_says_why_and_the_others_are_drawn() -> None:
    first, second = draw([of_marks("odd", "no mark"), PICTURES[0]])
    assert str(first).startswith("AttributeError: ")
    assert second == PNGS[0]


def test_a_helper_whose_parent_is_gone_ends_quietly() -> None:
    done = subprocess.run(
        [sys.executable, "-m", drawing.__name__], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
