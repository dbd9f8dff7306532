"""The journal keeps every line that was handed to it, whatever cuts it off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fmbench.core.failures import FailureKind, Outcome
from fmbench.core.records import COLUMNS, Record
from fmbench.storage.journal import JournalWriter, read_journal


def a_record(seq: int) -> Record:
    return Record(
        run_id="r", worker="local", user=0, seq=seq, model="m", model_id="vendor.m", api="converse-stream", dataset="d",
        bucket="en_1-500", concurrency=1, cell=0, block=0, phase="measure", task="qa", prompt_id=f"p{seq}",
    )  # fmt: skip


def test_an_intent_and_its_record_come_back_as_written(tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path / "journal" / "local.jsonl")
    record = a_record(1)
    journal.intent(record)
    record.outcome, record.failure = Outcome.FAILED, FailureKind.THROTTLED
    record.content_s, record.message = [0.25, 0.5], "Zu viele Anfragen \u2028 \n ü"
    journal.record(record)
    journal.close()

    (first_kind, intent), (second_kind, row) = read_journal(tmp_path / "journal" / "local.jsonl")

    assert (first_kind, second_kind) == ("intent", "record")
    assert intent["outcome"] == "abandoned"
    assert tuple(row) == COLUMNS
    assert (row["outcome"], row["failure"], row["content_s"]) == ("failed", "throttled", [0.25, 0.5])
    assert row["message"] == "Zu viele Anfragen \u2028 \n ü"
    assert row["ttft_s"] is None


@pytest.mark.parametrize("cut", [1, 2, 40, 300])
def test_a_torn_last_line_costs_that_line_only(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "local.jsonl"
    journal = JournalWriter(path)
    for seq in range(3):
        journal.intent(a_record(seq))
    journal.close()
    os.truncate(path, path.stat().st_size - cut)

    reader = read_journal(path)
    rows = [row["seq"] for _, row in reader]

    whole = [0, 1, 2] if cut == 1 else [0, 1]  # without its newline a line is still whole
    assert rows == whole
    assert reader.torn == 3 - len(whole)


def test_lines_after_a_torn_one_are_read(tmp_path: Path) -> None:
    path = tmp_path / "local.jsonl"
    whole = json.dumps({"record": {"seq": 7}})
    path.write_text(f'{whole}\n{{"intent": {{"se\n[]\n{whole}\n')
    reader = read_journal(path)
    assert [row for _, row in reader] == [{"seq": 7}, {"seq": 7}]
    assert reader.torn == 2


def test_a_killed_process_leaves_every_intent_that_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "local.jsonl"
    program = (
        "import os, signal, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2]);"
        "from test_journal import a_record; from fmbench.storage.journal import JournalWriter;"
        "journal = JournalWriter(Path(sys.argv[1]));"
        "[journal.intent(a_record(seq)) for seq in range(100)];"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path), str(Path(__file__).parent)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [row["seq"] for _, row in read_journal(path)] == list(range(100))


def test_a_full_disk_is_said_to_the_writer(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        JournalWriter(full).intent(a_record(0))
