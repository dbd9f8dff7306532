"""No name from a bucket, a plan or another process leaves the folder that it is put in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from hypothesis import given, settings
from hypothesis import strategies as st

from fmbench.core.failures import Refused
from fmbench.core.names import below, is_inside
from fmbench.storage.runfolder import work_folder
from fmbench.storage.stores.local import LocalStore
from fmbench.storage.stores.s3 import S3Store
from fmbench.storage.upload import download

HOSTILE = [
    *("../../../x", "..", ".", "", "/etc/passwd", "a/../../x", "a//b", "a/", "./a", "a\\..\\x", "..\\x", "C:\\x", "a\x00b"),
    *("a\nb", "a\x1bb", "\N{RIGHT-TO-LEFT OVERRIDE}a", "a" * 256, "é" * 200, "/".join(["a"] * 600), "\ud800"),
]
steps = st.sampled_from(["..", ".", "", "a", "b.parquet", "~", "-", "%2e%2e", "\\", "\x00", "récords", "a" * 300]) | st.text(
    max_size=5
)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_name_that_would_leave_or_that_no_disk_takes_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused) as refusal:
        below(tmp_path, name)
    assert str(refusal.value).isprintable()


@settings(max_examples=2000, deadline=None)
@given(st.lists(steps, max_size=6).map("/".join) | st.text(max_size=30))
def test_whatever_is_taken_stays_inside_as_the_system_sees_it(name: str) -> None:
    if is_inside(name):
        path = os.path.normpath(os.path.join("/run/folder", name))
        assert path == f"/run/folder/{name}"


def test_hostile_objects_beside_a_run_are_left_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    store = S3Store("s3://bucket/runs/r1", "us-east-1")
    keys = ["manifest.json", "records/part-a.parquet", "journal/", *(name for name in HOSTILE if "\x00" not in name and name)]
    with Stubber(store.client) as stub:
        contents: list[Any] = [{"Key": f"runs/r1/{key}"} for key in keys]
        stub.add_response("list_objects_v2", {"Contents": contents, "IsTruncated": False}, {"Bucket": ANY, "Prefix": ANY})
        assert store.list() == ["manifest.json", "records/part-a.parquet"]


class Hostile(LocalStore):
    """A store that lists whatever it was told to."""

    names: list[str]

    def list(self, prefix: str = "") -> list[str]:
        return self.names

    def get_file(self, name: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


@pytest.mark.parametrize("name", ["../../../x", "/x", "a/../../x"])
def test_a_download_writes_nothing_outside_even_from_a_store_that_lists_such_names(tmp_path: Path, name: str) -> None:
    store = Hostile(str(tmp_path / "from"))
    store.names = [name]
    with pytest.raises(Refused):
        download(store, tmp_path / "deep" / "er" / "run")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_name_of_a_file_and_a_folder_is_said(tmp_path: Path) -> None:
    store = Hostile(str(tmp_path / "from"))
    store.names = ["records", "records/part.parquet"] * 4
    with pytest.raises(Refused, match="a file and of a folder"):
        download(store, tmp_path / "run")


def test_a_run_id_with_a_way_out_has_no_work_folder() -> None:
    with pytest.raises(Refused):
        work_folder("../../x")
