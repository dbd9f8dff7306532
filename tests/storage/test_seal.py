"""Sealing loses nothing, doubles nothing, and can be cut at any point and done again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmbench.core.records import COLUMNS, Record
from fmbench.storage import seal as sealing
from fmbench.storage.journal import JournalWriter
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.seal import seal


def record(user: int, seq: int, worker: str = "local", **facts: Any) -> Record:
    where = {"model": "m", "model_id": "some.m", "api": "converse", "dataset": "d", "bucket": "en_1-2", "concurrency": 1}
    cell = {"cell": 0, "block": 0, "phase": "measure", "task": "t", "prompt_id": "p"}
    return Record(run_id="r", worker=worker, user=user, seq=seq, **where, **cell, **facts)


def ok(user: int, seq: int, worker: str = "local", **facts: Any) -> Record:
    return record(user, seq, worker, outcome="ok", sent_at=1.5, e2e_s=0.25, output_tokens=7, content_s=[0.1, 0.2], **facts)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def journal(folder: RunFolder, worker: str, intents: list[Record], records: list[Record]) -> Path:
    path = folder.journal / f"{worker}.jsonl"
    writer = JournalWriter(path)
    for entry in intents:
        writer.intent(entry)
    for entry in records:
        writer.record(entry)
    writer.close()
    return path


def load_json(folder: RunFolder, **sent: int) -> None:
    workers = [{"id": worker, "sent": count} for worker, count in sent.items()]
    folder.load.write_text(json.dumps({"ended": "done", "workers": workers}))


def rows(folder: RunFolder) -> pd.DataFrame:
    return pd.read_parquet(folder.records)


def test_every_request_becomes_a_row_with_every_column(folder: RunFolder):
    journal(
        folder, "a", [record(0, 0, "a"), record(1, 0, "a")], [ok(0, 0, "a"), record(1, 0, "a", outcome="failed", failure="dns")]
    )
    journal(folder, "b", [record(0, 0, "b")], [ok(0, 0, "b", usd=0.5, connect_s=0.01)])
    load_json(folder, a=2, b=1)
    accounting = seal(folder)
    found = rows(folder)
    assert tuple(found.columns) == COLUMNS
    assert found[["worker", "user", "outcome"]].to_numpy().tolist() == [["a", 0, "ok"], ["a", 1, "failed"], ["b", 0, "ok"]]
    assert list(found.content_s[0]) == pytest.approx([0.1, 0.2])
    assert found.usd.isna().tolist() == [True, True, False]
    assert accounting.to_dict() == {
        "planned": 3,
        "sent": 3,
        "ok": 2,
        "failed": 1,
        "abandoned": 0,
        "dropped": 0,
        "lost": 0,
        "duplicated": 0,
        "torn": 0,
    }
    assert accounting.complete
    assert not folder.journal.exists()


def test_the_types_are_those_of_the_contract(folder: RunFolder):
    journal(folder, "a", [record(0, 0, "a")], [record(0, 0, "a", outcome="failed", failure="dns")])
    seal(folder)
    found = rows(folder)
    for column in (
        "intended_at",
        "sent_at",
        "ended_at",
        "connect_s",
        "ttft_s",
        "ttft_text_s",
        "e2e_s",
        "tpot_s",
        "server_latency_s",
        "usd",
    ):
        assert found[column].dtype == "float64"
        assert found[column].isna().all(), "not observed is null, never 0"
    (part,) = folder.records.glob("*.parquet")
    schema = pq.read_schema(part)
    assert {str(schema.field(name).type) for name in ("seq", "user", "concurrency", "output_tokens", "http_status")} == {"int64"}


def test_a_request_whose_end_nobody_saw_is_abandoned(folder: RunFolder):
    journal(folder, "a", [record(0, 0, "a"), record(1, 0, "a")], [ok(1, 0, "a")])
    accounting = seal(folder)
    assert rows(folder).set_index("user").outcome.to_dict() == {1: "ok", 0: "abandoned"}
    assert (accounting.sent, accounting.abandoned, accounting.complete) == (2, 1, False)


def test_a_line_that_was_cut_off_costs_only_itself(folder: RunFolder):
    path = journal(folder, "a", [record(0, 0, "a")], [ok(0, 0, "a"), ok(0, 1, "a")])
    path.write_bytes(path.read_bytes()[:-20])
    accounting = seal(folder)
    assert (accounting.ok, accounting.torn) == (1, 1)


def test_a_row_of_a_request_that_has_one_is_left_out_and_counted(folder: RunFolder):
    journal(folder, "a", [record(0, 0, "a")], [ok(0, 0, "a"), ok(0, 0, "a", usd=9.0)])
    accounting = seal(folder)
    assert rows(folder).usd.isna().all()
    assert (accounting.sent, accounting.duplicated, accounting.complete) == (1, 1, False)


def test_what_a_worker_says_it_sent_and_nobody_has_is_lost(folder: RunFolder):
    journal(folder, "a", [record(0, 0, "a")], [ok(0, 0, "a")])
    load_json(folder, a=3, b=4)
    accounting = seal(folder)
    assert (accounting.sent, accounting.ok, accounting.lost, accounting.complete) == (7, 1, 6, False)


def test_a_run_without_a_request_can_be_read(folder: RunFolder):
    accounting = seal(folder)
    assert accounting.sent == 0
    found = rows(folder)
    assert (len(found), tuple(found.columns)) == (0, COLUMNS)
    assert found.e2e_s.dtype == "float64"


def test_sealing_again_changes_nothing(folder: RunFolder):
    journal(folder, "a", [record(0, 0, "a")], [ok(0, 0, "a")])
    first = seal(folder)
    before = {path.name: path.read_bytes() for path in folder.records.iterdir()}
    assert seal(folder) == first
    assert {path.name: path.read_bytes() for path in folder.records.iterdir()} == before


def test_a_crash_between_the_parts_and_the_journal_s_end_doubles_nothing(folder: RunFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sealing, "ROWS_PER_PART", 2)
    path = journal(folder, "a", [record(0, seq, "a") for seq in range(5)], [ok(0, seq, "a") for seq in range(5)])
    kept = path.read_bytes()
    assert seal(folder).sent == 5
    folder.journal.mkdir()
    path.write_bytes(kept)
    accounting = seal(folder)
    assert (accounting.sent, accounting.duplicated) == (5, 0)
    assert sorted(rows(folder).seq) == [0, 1, 2, 3, 4]


def test_a_disk_that_takes_no_more_leaves_the_journal(folder: RunFolder, monkeypatch: pytest.MonkeyPatch):
    path = journal(folder, "a", [record(0, 0, "a")], [ok(0, 0, "a")])

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            seal(folder)
    assert path.exists()
    assert seal(folder).ok == 1


@given(
    journalled=st.dictionaries(
        st.tuples(st.integers(0, 3), st.integers(0, 5)), st.sampled_from(["intent", "ok", "failed", "record only"]), max_size=20
    ),
    cut=st.integers(0, 60),
)
def test_sent_is_always_the_sum_of_its_parts(tmp_path_factory: pytest.TempPathFactory, journalled: dict[Any, str], cut: int):
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    intents = [record(*key) for key, fate in journalled.items() if fate != "record only"]
    ends = [record(*key, outcome="failed" if fate == "failed" else "ok") for key, fate in journalled.items() if fate != "intent"]
    path = journal(folder, "local", intents, ends)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - cut])
    accounting = seal(folder)
    assert accounting.sent == accounting.ok + accounting.failed + accounting.abandoned == len(rows(folder))
    assert not rows(folder).duplicated(["worker", "user", "seq"]).any()
    if cut == 0:
        fates = list(journalled.values())
        assert (accounting.failed, accounting.abandoned) == (fates.count("failed"), fates.count("intent"))
