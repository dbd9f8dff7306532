"""Run folders: made once, written whole or not at all, read back as they were."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fmbench.core.failures import Refused, UnusableInput
from fmbench.storage import atomic
from fmbench.storage.reader import open_run, read_lines
from fmbench.storage.runfolder import RunFolder, create, discard, new_run_id, work_folder
from fmbench.storage.store import store_for
from fmbench.storage.upload import forget_local_copy, upload
from tests.support.emulators import objects

MANIFEST = {"schema_version": "1.0", "run_id": "r", "status": "done"}


def test_a_run_id_says_when_and_what():
    now = datetime(2026, 11, 23, 20, 46, 1, tzinfo=UTC)
    assert re.fullmatch(r"20261123T204601Z-nova-or-haiku-[0-9a-f]{6}", new_run_id("nova-or-haiku", now))
    assert new_run_id("a", now) != new_run_id("a", now)


def test_a_run_id_is_taken_once(tmp_path: Path):
    folder = create(str(tmp_path / "results"), "a", run_id="r1")
    assert folder.path == tmp_path / "results" / "r1"
    assert (folder.address, folder.is_remote) == (str(folder.path), False)
    with pytest.raises(Refused, match="--resume r1"):
        create(str(tmp_path / "results"), "a", run_id="r1")


def test_a_run_id_is_taken_once_on_s3_too(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    output = f"s3://bucket/{tmp_path.name}"
    folder = create(output, "a", run_id="r1")
    assert folder.address == f"{output}/r1"
    assert folder.is_remote and folder.path == work_folder("r1")
    with pytest.raises(Refused, match="exists already"):
        create(output, "a", run_id="r1")
    discard(folder)
    assert not folder.path.exists()
    assert objects(s3_server, "bucket", f"{tmp_path.name}/") == {}


def test_a_stored_run_is_what_it_was_here(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    folder = create(f"s3://bucket/{tmp_path.name}", "a", run_id="r1")
    atomic.write_json(folder.manifest, MANIFEST)
    atomic.write_text(folder.prompts / "payload_en_1-2.jsonl", '{"text": "ü"}\n')
    atomic.write_bytes(folder.path / "plots" / "a.png", bytes(range(256)))
    here = {path.relative_to(folder.path).as_posix(): path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    upload(folder)
    assert objects(s3_server, "bucket", f"{tmp_path.name}/r1/") == here
    forget_local_copy(folder)
    assert not folder.path.exists()
    run = open_run(folder.address)
    assert (run.manifest, run.run_id, run.address) == (MANIFEST, "r1", folder.address)
    copied = run.path
    del run
    assert not copied.exists(), "the download stayed behind"


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "manifest.json"
    atomic.write_json(path, {"a": 1})

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic.write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_json_is_not_written(tmp_path: Path):
    with pytest.raises(ValueError, match="JSON compliant"):
        atomic.write_json(tmp_path / "x.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is no run folder"),
        ("{", "cannot be read"),
        ("[]", "has schema version"),
        ('{"schema_version": "2.0"}', "has schema version 2.0"),
    ],
)
def test_what_is_no_run_is_said(tmp_path: Path, content: str | None, said: str):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(UnusableInput, match=said):
        open_run(str(tmp_path))


def test_an_s3_address_without_a_run_is_said(s3_server: str):
    with pytest.raises(UnusableInput, match="is no run folder"):
        open_run("s3://bucket/nothing/here")


def test_a_folder_above_runs_lists_them_the_newest_first(tmp_path: Path):
    for name in ("20260101T000000Z-a", "20270101T000000Z-b", "sub/20260601T000000Z-c"):
        (tmp_path / name).mkdir(parents=True)
        atomic.write_json(tmp_path / name / "manifest.json", MANIFEST)
    with pytest.raises(UnusableInput, match=r"20270101T000000Z-b, .*sub/20260601T000000Z-c, .*20260101T000000Z-a\."):
        open_run(str(tmp_path))


def test_a_prefix_above_runs_lists_them_and_names_no_folder_of_this_machine(s3_server: str):
    for name in ("20260101T000000Z-a", "20270101T000000Z-b"):
        store_for(f"s3://bucket/above/{name}").put_bytes("manifest.json", b"{}")
        store_for(f"s3://bucket/above/{name}").put_bytes("records/part.parquet", b"-")
    with pytest.raises(UnusableInput) as said:
        open_run("s3://bucket/above")
    listed = "s3://bucket/above/20270101T000000Z-b, s3://bucket/above/20260101T000000Z-a"
    assert str(said.value) == f"s3://bucket/above: is no run folder, but above some; give one of these: {listed}."


def test_a_run_that_was_not_sealed_says_how_to(tmp_path: Path):
    atomic.write_json(tmp_path / "manifest.json", MANIFEST)
    with pytest.raises(UnusableInput, match="fmbench-load report"):
        open_run(str(tmp_path)).records()


def test_a_run_opens_by_its_manifest_too(tmp_path: Path):
    atomic.write_json(tmp_path / "manifest.json", MANIFEST)
    assert open_run(str(tmp_path / "manifest.json")).path == tmp_path.resolve()


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path):
    (tmp_path / "lines").write_text('{"a": 1}\n{"a": 2}\n{"a"')
    assert read_lines(tmp_path / "lines") == [{"a": 1}, {"a": 2}]
    assert read_lines(tmp_path / "none") == []


def test_a_run_without_health_has_its_columns(tmp_path: Path):
    atomic.write_json(tmp_path / "manifest.json", MANIFEST)
    health = open_run(str(tmp_path)).health()
    assert len(health) == 0 and {"at", "worker", "lag_p99_s", "cpu"} <= set(health.columns)


def test_names_of_a_run_folder_are_those_of_the_contract(tmp_path: Path):
    folder = RunFolder(tmp_path)
    names = {path.relative_to(tmp_path).as_posix() for path in (folder.manifest, folder.config, folder.prompts, folder.records)}
    names |= {path.relative_to(tmp_path).as_posix() for path in (folder.locust, folder.summary, folder.report)}
    assert names == {"manifest.json", "config.yml", "prompts", "records", "locust", "summary.json", "report.md"}
