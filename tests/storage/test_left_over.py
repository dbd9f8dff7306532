"""What a killed load process left on its machine is brought to the store of its run, and not before it is dead."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fmbench.run.join import _leave_nothing
from fmbench.storage.left_over import journals_below, journals_of_others, send
from tests.faults.store import PRECONDITION, failing_store
from tests.faults.trials import KEYS

WORKER = """
import sys, pathlib
from fmbench.storage.journal import JournalWriter
from fmbench.storage.left_over import remember
from tests.storage.test_journal import a_record
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True)
remember(folder, "s3://bucket/run", None)
JournalWriter(folder / "journal" / "w-0000.jsonl").intent(a_record(1))
(folder / "journal" / "w-0001.jsonl").write_text("waits for the store")
print("there", flush=True)
sys.stdin.read()
"""


def worker(folder: Path) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": root},
    )
    assert process.stdout is not None and process.stdout.readline() == "there\n"
    return process


def test_a_killed_load_process_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch = tmp_path / "fmbench-load-x"
    with worker(scratch / "process-0" / "run") as process, failing_store() as server:
        for name, value in (KEYS | {"AWS_ENDPOINT_URL_S3": server.url}).items():
            monkeypatch.setenv(name, value)
        assert journals_below(scratch) == journals_of_others() == [], "it lives: what waits for the store is its own"
        process.kill()
        process.wait()
        left = journals_of_others()
        assert [path.name for path in left] == ["w-0000.jsonl", "w-0001.jsonl"]
        (first, nothing), _ = send(left)
        assert nothing == "" and not first.exists()
        assert sorted(server.objects) == ["bucket/run/journal/w-0000.jsonl", "bucket/run/journal/w-0001.jsonl"]
        assert b'"intent"' in server.objects["bucket/run/journal/w-0000.jsonl"]


def test_what_the_store_does_not_take_stays_and_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with worker(tmp_path / "process-0" / "run") as process, failing_store() as server:
        process.kill()
        process.wait()
        for name, value in (KEYS | {"AWS_ENDPOINT_URL_S3": server.url}).items():
            monkeypatch.setenv(name, value)
        server.outage = lambda method, key: PRECONDITION if "0001" in key else None
        _leave_nothing(tmp_path)
        said = capsys.readouterr().err
        assert "w-0000.jsonl, which a load process of the run run left here, is stored now" in said
        assert f"{tmp_path}/process-0/run/journal/w-0001.jsonl could not be stored" in said
        assert (tmp_path / "process-0/run/journal/w-0001.jsonl").exists()
