"""Files that are none, or are damaged: one message, at once."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from fmbench.core.failures import UnusableInput
from fmbench.prompts.reading import files


def read(path: Path, scratch: Path) -> None:
    for file in files.find(str(path), scratch)[0]:
        list(files.records(file))


def test_a_pipe_and_a_device_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    for path in (tmp_path / "pipe.jsonl", Path("/dev/zero")):
        with pytest.raises(UnusableInput, match="a device or a pipe"):
            read(path, tmp_path)


def test_an_archive_with_a_wrong_checksum_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data/x.jsonl", '{"input": "Why?"}\n')
    path.write_bytes(path.read_bytes().replace(b"Why?", b"Who?", 1))
    with pytest.raises(UnusableInput, match=r"data/x.jsonl.*Bad CRC-32.*pack the file again"):
        read(path, tmp_path)


def test_blank_lines_without_end_and_a_line_without_end_are_not_read_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 1000)
    monkeypatch.setattr(files, "MOST_BLANK_LINES", 1000)
    for text, why in (("\n" * 5000, "blank lines"), ("x" * 5000, "is longer than")):
        (tmp_path / "rows.jsonl").write_text(text)
        with pytest.raises(UnusableInput, match=why):
            read(tmp_path / "rows.jsonl", tmp_path)


def test_an_archive_of_ten_thousands_of_files_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(files.MOST_FILES + 1):
            archive.writestr(f"{number}.jsonl", "")
    with pytest.raises(UnusableInput, match="join them"):
        read(path, tmp_path)


def test_what_the_system_makes_up_is_no_file() -> None:
    with pytest.raises(UnusableInput, match="a device or a pipe"):
        files.find("/proc/self/mem", Path())
