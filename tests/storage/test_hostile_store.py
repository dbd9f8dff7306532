"""What stands in a store may be anybody's: one clear refusal, or null; never a fault of the program, and never without end."""

from __future__ import annotations

import io
import itertools
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.awsrequest import AWSResponse
from urllib3 import HTTPResponse

from fmbench.core.failures import ExitCode, Refused, UnusableInput
from fmbench.run.history import past_runs
from fmbench.run.stored import report
from fmbench.storage.listing import MOST_PAGES, listed_keys
from fmbench.storage.reader import open_run, read_lines
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.seal import all_workers
from fmbench.storage.store import store_for
from fmbench.storage.stores.s3 import S3Store
from fmbench.storage.table import write_part
from tests.faults.trials import KEYS

MANIFEST = {"schema_version": "1.0", "run_id": "r", "status": "done"}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets what a server on this machine answers to everything."""
    said = [b""]

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None: ...

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(said[0])))
            self.end_headers()
            self.wfile.write(said[0])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_address[1]}")
    yield lambda body: said.__setitem__(0, body.encode())
    server.shutdown()
    server.server_close()


def listing(contents: str, truncated: str = "false") -> str:
    return f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated><Contents>{contents}</Contents></ListBucketResult>"


@pytest.mark.parametrize(
    "body",
    [
        listing("<Size>3</Size>"),
        listing("<Key>x/a</Key><Size>many</Size>"),
        listing("<Key>x/a</Key><LastModified>soon</LastModified>"),
        listing("<Key>x/a</Key>", truncated="true"),
        "<html>Sign in</html>",
        "",
    ],
)
def test_what_is_no_whole_listing_is_refused(s3: Callable[[str], None], body: str) -> None:
    s3(body)
    with pytest.raises(Refused, match="AWS_ENDPOINT_URL_S3"):
        store_for("s3://bucket/x").list()


def test_keys_of_another_prefix_are_left_out(s3: Callable[[str], None]) -> None:
    s3(listing("<Key>x/a</Key></Contents><Contents><Key>manifest.json</Key>"))
    assert store_for("s3://bucket/x").list() == ["a"]


def test_a_listing_that_never_ends_is_refused() -> None:
    pages = ({"IsTruncated": True, "NextContinuationToken": str(n), "Contents": [{"Key": str(n)}]} for n in itertools.count())
    with pytest.raises(Refused, match=f"{MOST_PAGES:,} pages"):
        listed_keys(pages, "s3://bucket/x")
    assert next(pages)["NextContinuationToken"] == str(MOST_PAGES + 1), "no page beyond the limit was asked for"


@pytest.mark.parametrize("length", [None, 5, 1 << 50])
def test_an_object_that_is_not_as_long_as_was_said_is_refused(tmp_path: Path, length: int | None) -> None:
    client = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    client.meta.events.register("before-send.s3.HeadObject", lambda request, **_: _answer(b"", length, "HEAD"))
    client.meta.events.register("before-send.s3.GetObject", lambda request, **_: _answer(b"x" * 10, 10))
    store = S3Store("s3://bucket/x", "us-east-1")
    store.client = client
    with pytest.raises(Refused, match=r"s3://bucket/x"):
        store.get_file("a", tmp_path / "a")


def test_an_object_is_read_into_memory_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fmbench.storage.stores.s3.MOST_IN_MEMORY", 9)
    store = S3Store("s3://bucket/x", "us-east-1")
    store.client = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    store.client.meta.events.register("before-send.s3.GetObject", lambda request, **_: _answer(b"x" * 10, 10))
    with pytest.raises(Refused, match="more than 9 bytes"):
        store.get_bytes("a")


def test_what_was_stored_and_is_not_what_was_sent_is_refused() -> None:
    store = S3Store("s3://bucket/x", "us-east-1")
    store.client = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    store.client.meta.events.register("before-send.s3.PutObject", lambda request, **_: _answer(b"", 0))
    store.client.meta.events.register("before-send.s3.HeadObject", lambda request, **_: _answer(b"", 3, "HEAD"))
    with pytest.raises(Refused, match="is not what was sent"):
        store.put_bytes("a", b"12345")


def _answer(body: bytes, length: int | None, method: str = "GET") -> AWSResponse:
    headers = {} if length is None else {"Content-Length": str(length)}
    raw = HTTPResponse(io.BytesIO(body), headers=headers, preload_content=False, request_method=method)
    return AWSResponse("https://s3", 200, headers, raw)


def test_an_object_that_is_listed_and_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fmbench.storage.stores.local import LocalStore
    from fmbench.storage.upload import download

    monkeypatch.setattr(LocalStore, "list", lambda self: ["gone"])
    with pytest.raises(Refused, match="is listed and not there"):
        download(LocalStore(str(tmp_path / "a")), tmp_path / "b")


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("status", None),
        ("config", "x"),
        ("cells", [1]),
        ("cells", [{}]),
        ("accounting", {"other": 1}),
        ("accounting", {"sent": "x"}),
        ("ended", {}),
        ("warnings", 3),
        ("datasets", 7),
        ("workers", ["x"]),
        ("process", {"pid": "abc"}),
        ("locust", [1]),
        ("run_id", 7),
    ],
)
def test_a_manifest_of_another_shape_is_said(tmp_path: Path, entry: str, value: Any) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST | {entry: value}))
    with pytest.raises(UnusableInput, match=rf"is no manifest of a run \({entry}: missing, or not as it is written\)"):
        open_run(str(tmp_path))


def _garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 50)


def _folder(path: Path) -> None:
    path.mkdir()


def _other_columns(path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), path)


def _other_type(path: Path) -> None:
    write_part(path, [{"worker": "w", "user": 1, "seq": 1, "cell": 0, "outcome": "ok"}])
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.schema.get_field_index("sent_at"), "sent_at", pa.array(["x"])), path)


def _many_rows(path: Path) -> None:
    write_part(path, [{"worker": "w", "user": 1, "seq": 1, "cell": 0, "outcome": "ok"}] * 400_000)


def _long_text(path: Path) -> None:
    write_part(path, [{"worker": "w", "user": 1, "seq": 1, "cell": 0, "outcome": "ok", "message": "A" * 80_000_000}])


@pytest.mark.parametrize("make", [_garbage, _folder, _other_columns, _other_type, _many_rows, _long_text])
def test_a_part_that_holds_no_records_is_named(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "records").mkdir()
    make(tmp_path / "records" / "part-a.parquet")
    run = open_run(str(tmp_path))
    for read in (run.table, run.records, lambda: run.compact_records(["cell"])):
        with pytest.raises(UnusableInput, match=r"records/part-a\.parquet"):
            read()


@pytest.mark.parametrize("link", ["plots", "config.yml", "records", "journal/w.jsonl"])
def test_a_link_out_of_a_run_folder_is_named_and_nothing_elsewhere_is_touched(tmp_path: Path, link: str) -> None:
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    for folder in (run / "journal", run / "records", elsewhere):
        folder.mkdir(parents=True)
    (run / "manifest.json").write_text(json.dumps(MANIFEST))
    (elsewhere / "mine.png").write_bytes(b"1")
    (run / "same").symlink_to(run / "manifest.json")
    assert report(str(run)) == ExitCode.DONE
    assert (run / "report.html").exists()
    target = run / link
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    target.parent.mkdir(exist_ok=True)
    target.symlink_to(elsewhere if link != "config.yml" else elsewhere / "mine.png")
    with pytest.raises(UnusableInput, match=f"{link}: is a link to somewhere else"):
        report(str(run))
    assert [path.name for path in elsewhere.iterdir()] == ["mine.png"]


def test_pages_that_are_garbage_are_said(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    path = tmp_path / "records" / "part-a.parquet"
    write_part(path, [{"worker": "w", "user": n, "seq": 1, "cell": 0, "outcome": "ok", "usd": n / 7} for n in range(500)])
    sound = path.read_bytes()
    footer = int.from_bytes(sound[-8:-4], "little") + 8
    path.write_bytes(sound[:4] + b"\xee" * (len(sound) - 4 - footer) + sound[-footer:])
    run = open_run(str(tmp_path))
    for read in (run.records, lambda: run.compact_records(["usd"]), lambda: run.table().rows.number("usd")):
        with pytest.raises(UnusableInput, match="cannot be read"):
            read()


def test_lines_and_loads_of_another_shape_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "cells.jsonl").write_bytes(b'1\n[]\nnull\n{"cell": 1}\n')
    assert read_lines(tmp_path / "cells.jsonl") == [{"cell": 1}]
    for text in ("[1]", "\ud800", "[" * 100_000, '{"workers": [1, {"id": [1]}, {"id": "w", "sent": "x"}]}'):
        (tmp_path / "load.json").write_text(text, errors="surrogatepass")
        assert all_workers(RunFolder(tmp_path)) == []


@pytest.mark.parametrize(
    ("manifest", "summary"),
    [
        ({"started_at": "x"}, {}),
        ({"started_at": 1e300}, {}),
        ({"accounting": [1]}, {}),
        ({}, {"cells": 5}),
        ({}, {"cells": [1, {"usd": "x"}]}),
        ({}, {"validity": "x"}),
        ({}, {"recommendation": "x"}),
        ({}, {"recommendation": {"model": [], "concurrency": "x"}}),
    ],
)
def test_an_odd_run_hides_no_other(tmp_path: Path, manifest: dict[str, Any], summary: dict[str, Any]) -> None:
    for name, odd, answer in (("good", {}, {}), ("odd", manifest, summary)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(MANIFEST | odd | {"run_id": name}))
        (tmp_path / name / "summary.json").write_text(json.dumps(answer))
    found = sorted(past_runs(str(tmp_path)), key=lambda run: run.run_id)
    assert [run.run_id for run in found] == ["good", "odd"]
    assert (found[1].started_at, found[1].usd, found[1].validity, found[1].requests) == (None, None, None, None)
    assert all(len(run.row()) == 6 for run in found)
