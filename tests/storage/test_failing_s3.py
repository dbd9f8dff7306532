"""S3 fails in every way: what can be had is had, what cannot be is refused with the cure, and always within bounds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fmbench.core.failures import Refused
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.share import IN_A_ROW, collect
from fmbench.storage.store import Store, store_for
from fmbench.storage.stores import s3
from fmbench.storage.upload import upload_files
from tests.faults.store import (
    CUT,
    DRIP,
    LATE_ERROR,
    LOST_ANSWER,
    NO_ETAG,
    REFUSALS,
    RESET,
    SILENCE,
    FailingStore,
    failing_store,
)
from tests.faults.trials import KEYS


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingStore]:
    """An S3 that can fail, whose exchanges are given up after less than a second."""
    monkeypatch.setattr("fmbench.patience.STILL_S", 0.8)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with failing_store() as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", found.url)
        yield found


@pytest.fixture
def store(failing: FailingStore) -> Store:
    return store_for("s3://bucket/x")


def on(method: str, word: str, times: int = 1 << 30) -> Any:
    """An outage of the first requests of one method."""
    left = [times]

    def strike(asked: str, key: str) -> str | None:
        left[0] -= asked == method
        return word if asked == method and left[0] >= 0 else None

    return strike


@pytest.mark.parametrize("word", [DRIP, SILENCE])
@pytest.mark.parametrize("what", ["read", "copy", "list", "delete", "write"])
def test_what_drips_or_is_silent_is_given_up(failing: FailingStore, store: Store, tmp_path: Path, word: str, what: str) -> None:
    failing.objects["bucket/x/a"] = b"1" * 500
    methods = {"read": "GET", "copy": "GET", "list": "GET", "delete": "DELETE", "write": "PUT"}
    if word == DRIP and methods[what] != "GET":
        pytest.skip("there is nothing to drip")
    failing.outage = on(methods[what], word)
    act = {
        "read": lambda: store.get_bytes("a"),
        "copy": lambda: store.get_file("a", tmp_path / "a"),
        "list": store.list,
        "delete": lambda: store.delete("a"),
        "write": lambda: store.put_bytes("a", b"2"),
    }[what]
    begun = time.monotonic()
    with pytest.raises(Refused, match=r"s3://bucket/x/a?: S3 gave no whole answer within 180 s"):
        act()
    assert time.monotonic() - begun < 3


def test_an_object_that_breaks_off_is_asked_for_again(failing: FailingStore, store: Store) -> None:
    failing.objects["bucket/x/a"] = b"1" * 100_000
    failing.outage = on("GET", CUT, 2)
    assert store.get_bytes("a") == b"1" * 100_000
    failing.outage = on("GET", CUT)
    with pytest.raises(Refused, match="S3 cannot be used"):
        store.get_bytes("a")


@pytest.mark.parametrize(
    ("word", "cure"),
    [
        ("skewed", "the clock of this machine is wrong"),
        ("expired", "renew them"),
        ("forbidden", "s3:PutObject"),
        ("no upload", "try again"),
    ],
)
def test_a_refusal_says_what_to_do(failing: FailingStore, store: Store, tmp_path: Path, word: str, cure: str) -> None:
    (tmp_path / "big").write_bytes(bytes(s3.PART_BYTES + 1))
    failing.outage = on("PUT", word)
    for put in (lambda: store.put_bytes("a", b"1"), lambda: store.put_file("a", tmp_path / "big")):
        with pytest.raises(Refused, match=rf"{REFUSALS[word][1]}.*{cure}"):
            put()
    assert not failing.parts, "parts of an upload that failed are paid for until they are taken away"


@pytest.mark.parametrize(("method", "word"), [("PUT", RESET), ("PUT", LOST_ANSWER), ("POST", LATE_ERROR), ("PUT", "fault")])
def test_an_upload_in_parts_survives_one_fault(
    failing: FailingStore, store: Store, tmp_path: Path, method: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fmbench.patience.STILL_S", 60)
    data = bytes(range(256)) * (s3.PART_BYTES // 256 + 9)
    (tmp_path / "big").write_bytes(data)
    failing.outage = on(method, word, 1)
    store.put_file("big", tmp_path / "big")
    assert failing.objects["bucket/x/big"] == data
    assert failing.faults


def test_a_part_without_an_etag_is_refused(failing: FailingStore, store: Store, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(s3.PART_BYTES + 1))
    failing.outage = on("PUT", NO_ETAG)
    with pytest.raises(Refused, match="AWS_ENDPOINT_URL_S3"):
        store.put_file("big", tmp_path / "big")


def test_a_name_that_is_listed_again_and_again_is_one(
    failing: FailingStore, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.objects["bucket/x/a"] = b"1"
    monkeypatch.setattr("fmbench.storage.stores.s3.listed_keys", lambda *_: ["x/a", "x/a", "x/../b", "x/a"])
    assert store.list() == ["a"]


def test_the_first_file_that_fails_ends_an_upload(failing: FailingStore, store: Store, tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(100)]
    for name in names:
        (tmp_path / name).write_bytes(b"1")
    failing.outage = on("PUT", "forbidden")
    with pytest.raises(Refused, match="AccessDenied"):
        upload_files(RunFolder(tmp_path, "s3://bucket/x"), names, store)
    assert failing.faults["forbidden"] < 50


def test_files_of_workers_are_given_up_together(failing: FailingStore, tmp_path: Path) -> None:
    names = [f"{kind}/w-{number:04d}.jsonl" for kind in ("journal", "health") for number in range(20)]
    failing.objects |= {f"bucket/r/{name}": b"{}\n" for name in names}
    folder = RunFolder(tmp_path / "r", "s3://bucket/r")
    failing.outage = lambda method, key: "forbidden" if key.endswith("jsonl") else None
    fetched, faults = collect(folder, [], None)
    assert (fetched, failing.faults) == ([], {"forbidden": IN_A_ROW})
    assert "37 further files" in faults[-1] and "fmbench-load report s3://bucket/r" in faults[-1]
    failing.outage = lambda method, key: "forbidden" if key.endswith("4.jsonl") else None
    fetched, faults = collect(folder, [], None)
    assert (len(fetched), len(faults)) == (18, 4)
