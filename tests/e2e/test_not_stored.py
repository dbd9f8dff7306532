"""A run that is done and cannot be stored where it belongs: it says where all of it is, and its own command stores it later."""

from __future__ import annotations

import errno
import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fmbench.run import finish
from fmbench.storage.runfolder import RunFolder
from tests.e2e.commands import Desk, files_of, small_config
from tests.faults.store import failing_store
from tests.support.simulator import Endpoint

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
ONE = small_config(models=[{"id": "us.amazon.nova-lite-v1:0", "label": "nova"}])


@pytest.mark.slow
def test_the_command_that_it_says_stores_it_where_it_belongs_or_elsewhere(tmp_path: Path, desk: Desk, endpoint: Endpoint) -> None:
    with failing_store() as store:
        store.outage = lambda method, key: "forbidden" if key.endswith("report.md") else None
        (tmp_path / "tmp").mkdir()
        desk.variables.update(KEYS | {"AWS_ENDPOINT_URL_S3": store.url, "TMPDIR": str(tmp_path / "tmp")})
        ended = desk.call("--config", desk.write(ONE), "--output", "s3://bucket/study")
        assert ended.status == 1 and "Traceback" not in ended.stderr, ended.stderr
        kept = ended.run
        assert ended.manifest["accounting"]["sent"] == len(endpoint.ledger()) and (kept / "report.md").exists()
        (command,) = [line.partition("When that is mended: ")[2] for line in ended.stderr.splitlines() if "is mended: " in line]
        assert shlex.split(command) == ["fmbench-load", "report", str(kept), "--output", "s3://bucket/study"]
        refused = desk.call(*shlex.split(command)[1:])
        assert refused.status == 3 and "s3:PutObject" in refused.stderr, refused.stderr
        store.outage = lambda method, key: None
        stored = desk.call(*shlex.split(command)[1:])
        assert stored.status == 0 and stored.address == f"s3://bucket/study/{kept.name}", stored.stderr
        assert store.below(f"bucket/study/{kept.name}/") == files_of(kept)
        assert json.loads((kept / "manifest.json").read_text())["status"] == "done"
    elsewhere = desk.call("report", str(kept), "--output", str(tmp_path / "elsewhere"))
    assert elsewhere.status == 0 and files_of(elsewhere.run) == files_of(kept), "where the bucket is gone for good"


def test_a_report_that_the_disk_does_not_take_is_said_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(run: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "report.md"))

    monkeypatch.setattr(finish, "report_on", full)
    report: Callable[[RunFolder], tuple[Any, Exception | None]] = finish._report
    summary, error = report(RunFolder(tmp_path / "run"))
    assert summary is None and isinstance(error, OSError)
    said = capsys.readouterr().err
    assert f"{tmp_path}/report.md: No space left on device; make room there" in said
    assert f"fmbench-load report {tmp_path}/run\n" in said and "raceback" not in said
