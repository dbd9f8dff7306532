"""Every store keeps the same promises; S3 is tried on servers that nobody here wrote."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from fmbench.core.failures import Refused, UnusableInput
from fmbench.storage import s3_refusals
from fmbench.storage.store import Store, store_for
from fmbench.storage.stores.s3 import PART_BYTES
from tests.faults.store import PRECONDITION, failing_store
from tests.faults.trials import KEYS
from tests.support.emulators import free_port, objects

SERVERS = [pytest.param(name, marks=pytest.mark.aws_emulator) for name in ("ministack_s3", "moto_s3")]


@pytest.fixture(params=["folder", *SERVERS])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    if request.param == "folder":
        return store_for(str(tmp_path / "store"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", request.getfixturevalue(request.param))
    return store_for(f"s3://bucket/{uuid.uuid4().hex}/deep")


def test_what_was_stored_comes_back(store: Store, tmp_path: Path):
    source, target = tmp_path / "source", tmp_path / "there" / "target"
    source.write_bytes(os.urandom(1000))
    store.put_file("a/b.bin", source)
    store.put_bytes("a/c.bin", b"")
    store.get_file("a/b.bin", target)
    assert target.read_bytes() == source.read_bytes()
    assert store.get_bytes("a/c.bin") == b""
    assert store.list() == ["a/b.bin", "a/c.bin"]
    assert store.list("a/b") == ["a/b.bin"]


def test_a_name_can_be_taken_once(store: Store):
    store.put_bytes("claim", b"first", if_absent=True)
    with pytest.raises(FileExistsError):
        store.put_bytes("claim", b"second", if_absent=True)
    assert store.get_bytes("claim") == b"first"
    store.put_bytes("claim", b"third")
    assert store.get_bytes("claim") == b"third"


def test_what_is_not_there_is_not_found(store: Store, tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        store.get_bytes("nothing")
    with pytest.raises(FileNotFoundError):
        store.get_file("nothing", tmp_path / "target")
    assert store.list("nothing") == []


def test_the_check_of_an_output_leaves_nothing(store: Store):
    store.check_writable()
    assert store.list() == []


def test_deleting_takes_one_away(store: Store):
    store.put_bytes("a", b"1")
    store.put_bytes("b", b"2")
    store.delete("a")
    store.delete("a")
    assert store.list() == ["b"]


def test_a_big_file_goes_up_in_parts_and_comes_back_whole(s3_server: str, tmp_path: Path):
    source = tmp_path / "big"
    source.write_bytes(os.urandom(1024) * (2 * PART_BYTES // 1024 + 7))
    prefix = uuid.uuid4().hex
    store_for(f"s3://bucket/{prefix}").put_file("big", source)
    assert objects(s3_server, "bucket", f"{prefix}/")["big"] == source.read_bytes()


def test_a_bucket_that_is_not_there_is_refused_with_the_cure(s3_server: str):
    with pytest.raises(Refused, match="no such bucket"):
        store_for("s3://not-there/x").check_writable()


def test_an_s3_that_does_not_answer_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(Refused, match="AWS_ENDPOINT_URL_S3"):
        store_for("s3://bucket/x").check_writable()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Refused, match="--output"):
        store_for(str(tmp_path / "file" / "below")).check_writable()


@pytest.mark.parametrize("address", ["gs://bucket/x", "s3:///x", "http://host/x"])
def test_other_addresses_are_unusable(address: str):
    with pytest.raises(UnusableInput, match="s3://"):
        store_for(address)


@pytest.mark.parametrize("if_absent", [False, True])
def test_a_precondition_that_nothing_failed_is_asked_again(monkeypatch: pytest.MonkeyPatch, if_absent: bool) -> None:
    """S3 said 412 twice, and there is no such object."""
    with failing_store() as server:
        for name, value in KEYS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        server.outage = lambda method, key: PRECONDITION if method == "PUT" and server.faults.get(PRECONDITION, 0) < 2 else None
        store_for("s3://bucket/x").put_bytes("a", b"1", if_absent)
        assert server.objects == {"bucket/x/a": b"1"}
        with pytest.raises(FileExistsError):
            store_for("s3://bucket/x").put_bytes("a", b"2", if_absent=True)


def test_a_bucket_of_another_region_is_said_to_be_one() -> None:
    """As S3 answers a client that is told of no other region's endpoint."""
    told = {"HTTPStatusCode": 301, "HTTPHeaders": {"x-amz-bucket-region": "eu-west-1"}}
    error = ClientError({"Error": {"Code": "PermanentRedirect"}, "ResponseMetadata": told}, "PutObject")  # type: ignore[typeddict-item]
    said = str(s3_refusals.translated(error, "s3://bucket/prefix"))
    assert said == (
        "s3://bucket/prefix: S3 refused (PermanentRedirect, HTTP 301); the bucket is in eu-west-1: name its region in AWS_REGION."
    )
