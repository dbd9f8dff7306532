"""JSON lines from files, folders, zips and S3: what is read, and one message with file and line for what cannot be."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from fmbench.core.failures import UnusableInput
from tests.prompts.making import Made, row, write_rows
from tests.support.emulators import make_bucket, ministack


def rows_of(made: Made) -> list[str]:
    return sorted(each["prompt_id"] for each in made.fates())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """hotpotqa, its LongBench-E twin and multifieldqa_zh, as in LongBench's data/."""
    folder = tmp_path / "data"
    write_rows(folder / "hotpotqa.jsonl", [row(n) for n in range(5)])
    write_rows(folder / "hotpotqa_e.jsonl", [row(n + 10) for n in range(3)])
    write_rows(folder / "multifieldqa_zh.jsonl", [row(n + 20, language="zh", dataset="multifieldqa_zh") for n in range(2)])
    (folder / "dataset2prompt.json").write_text("{}")
    return folder


IDS = [
    *(f"hotpotqa:id{n}" for n in range(5)),
    *(f"hotpotqa_e:id{n}" for n in (10, 11, 12)),
    "multifieldqa_zh:id20",
    "multifieldqa_zh:id21",
]


def test_a_folder_of_tasks(tmp_path: Path, folder: Path):
    made = Made(tmp_path / "out", {"source": "longbench", "path": str(folder), "languages": ["en", "zh"]})
    assert rows_of(made) == IDS
    listing = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.glob("*.jsonl"))
    )
    origin = made.outcome.datasets[0]
    assert origin["sha256"] == hashlib.sha256(listing.encode()).hexdigest()
    assert (origin["name"], origin["rows"], origin["revision"]) == ("longbench", 10, None)
    assert [(file["name"], file["rows"]) for file in origin["files"]] == [
        ("hotpotqa.jsonl", 5),
        ("hotpotqa_e.jsonl", 3),
        ("multifieldqa_zh.jsonl", 2),
    ]


def test_longbench_e_s_rows_are_a_task_of_their_own(tmp_path: Path, folder: Path):
    made = Made(tmp_path / "out", {"source": "longbench", "path": str(folder), "tasks": ["hotpotqa_e"]})
    assert {prompt.dataset for prompt in made.prompts("en_1-500")} == {"hotpotqa_e"}


def test_one_file(tmp_path: Path, folder: Path):
    path = folder / "hotpotqa.jsonl"
    made = Made(tmp_path / "out", {"source": "longbench", "path": str(path)})
    assert rows_of(made) == IDS[:5]
    assert made.outcome.datasets[0]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"data/{file.name}")
        archive.writestr("__MACOSX/data/._hotpotqa.jsonl", b"\0\1")
    return path


def test_the_official_archive(tmp_path: Path, folder: Path):
    path = zipped(folder, tmp_path / "data.zip")
    made = Made(tmp_path / "out", {"source": "longbench", "path": str(path), "languages": ["en", "zh"]})
    assert rows_of(made) == IDS
    assert made.outcome.datasets[0]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ministack(tmp_path_factory.mktemp("ministack")) as url:
        make_bucket(url, "bucket")
        yield url


@pytest.mark.aws_emulator
@pytest.mark.parametrize("address", ["s3://bucket/rows", "s3://bucket/rows/", "s3://bucket/all/data.zip"])
def test_rows_on_s3(tmp_path: Path, folder: Path, s3: str, monkeypatch: pytest.MonkeyPatch, address: str):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
    client = boto3.client("s3", endpoint_url=s3, region_name="us-east-1")
    for path in folder.iterdir():
        client.upload_file(str(path), "bucket", f"rows/{path.name}")
    client.put_object(Bucket="bucket", Key="rows/deeper/other.jsonl", Body=b"not for us")
    client.upload_file(str(zipped(folder, tmp_path / "data.zip")), "bucket", "all/data.zip")
    made = Made(tmp_path / "out", {"source": "longbench", "path": address, "languages": ["en", "zh"]})
    assert rows_of(made) == IDS


@pytest.mark.aws_emulator
@pytest.mark.parametrize("address", ["s3://bucket/nothing/here.jsonl", "s3://bucket/nothing"])
def test_nothing_on_s3(tmp_path: Path, s3: str, monkeypatch: pytest.MonkeyPatch, address: str):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3)
    with pytest.raises(UnusableInput, match=address):
        Made(tmp_path / "out", {"source": "jsonl", "path": address})


GOOD = json.dumps(row(1)).encode()


@pytest.mark.parametrize(
    ("second_line", "part"),
    [
        (b'{"input": "cut', "is not JSON"),
        (b"[1, 2]", "is a JSON list, not an object"),
        (b'"text"', "is a JSON str, not an object"),
        (b"\xff\xfe{}", "is not UTF-8"),
        (b'{"context": ["a", "list"]}', "'context' holds a list"),
        (b'{"body": "x"}', "has none of the columns prompt, text, input, context; it has body"),
        (b"[" * 100_000, "is not JSON"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, second_line: bytes, part: str):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(GOOD + b"\n\n" + second_line + b"\n" + GOOD + b"\n")
    with pytest.raises(UnusableInput) as raised:
        Made(tmp_path / "out", {"source": "jsonl", "path": str(path)})
    assert "rows.jsonl line 3" in str(raised.value)
    assert part in str(raised.value)


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "holds no *.jsonl file"),
        (lambda path: zipfile.ZipFile(path, "w").close(), "holds no *.jsonl file"),
        (lambda path: path.write_bytes(b"\n\n"), "no row at all"),
    ],
)
def test_a_place_without_rows_is_named(tmp_path: Path, make: Any, part: str):
    path = tmp_path / "place"
    make(path)
    with pytest.raises(UnusableInput, match=part.replace("*", r"\*")):
        Made(tmp_path / "out", {"source": "longbench", "path": str(path)})


def test_plain_lines_of_text_are_sent_as_they_are(tmp_path: Path):
    texts = ["Tell me {a} story.\nNow.", "Sing", "Ring\u2028the bell \0"]
    path = write_rows(tmp_path / "mine.jsonl", [{"text": texts[0]}, {"prompt": texts[1]}, {"text": texts[2], "answers": "ding"}])
    made = Made(tmp_path / "out", {"source": "jsonl", "path": str(path)})
    assert {prompt.text for prompt in made.prompts("en_1-500")} == set(texts)
    assert {prompt.dataset for prompt in made.prompts("en_1-500")} == {"mine"}
    assert [prompt.answers for prompt in made.prompts("en_1-500") if prompt.answers] == [["ding"]]


def test_any_columns_can_play_the_parts(tmp_path: Path):
    rows = [{"q": "Who?", "doc": "Ann did.", "gold": ["Ann"], "lang": "zh", "kind": "who", "key": 7, "extra": [1]}]
    columns = {"input": "q", "context": "doc", "answers": "gold", "language": "lang", "dataset": "kind", "id": "key"}
    path = write_rows(tmp_path / "mine.jsonl", rows)
    made = Made(tmp_path / "out", {"source": "jsonl", "path": str(path), "columns": columns, "languages": ["zh"]})
    (prompt,) = made.prompts("zh_1-500")
    assert (prompt.prompt_id, prompt.dataset, prompt.language, prompt.answers) == ("who:7", "who", "zh", ["Ann"])
    assert "Ann did." in prompt.text
    assert "Who?" in prompt.text


def test_a_mapped_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path):
    path = write_rows(tmp_path / "mine.jsonl", [{"question": "Who?", "doc": "Ann did."}])
    with pytest.raises(UnusableInput, match=r"no column 'body' \(dataset\.columns\.context\); it has doc, question"):
        Made(tmp_path / "out", {"source": "jsonl", "path": str(path), "columns": {"context": "body"}})


def test_a_payload_file_of_an_earlier_run_is_a_dataset_too(tmp_path: Path):
    first = Made(tmp_path / "first", {"source": "synthetic", "buckets": ["300-500"], "prompts_per_bucket": 3})
    path = first.folder / "payload_en_300-500.jsonl"
    second = Made(tmp_path / "second", {"source": "jsonl", "path": str(path), "buckets": ["300-500"]})
    texts = [
        {(prompt.text, prompt.dataset, *prompt.answers) for prompt in made.prompts("en_300-500")} for made in (first, second)
    ]
    assert texts[0] == texts[1]


def test_null_in_one_file_and_a_list_in_the_next(tmp_path: Path):
    write_rows(tmp_path / "data" / "a.jsonl", [row(1, all_classes=None, answers=None)])
    write_rows(tmp_path / "data" / "b.jsonl", [row(2, all_classes=["x", "y"], answers=[])])
    made = Made(tmp_path / "out", {"source": "longbench", "path": str(tmp_path / "data")})
    assert sorted(str(prompt.all_classes) for prompt in made.prompts("en_1-500")) == ["None", "['x', 'y']"]
    assert [prompt.answers for prompt in made.prompts("en_1-500")] == [[], []]


def test_half_a_surrogate_pair_becomes_a_replacement_character(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a \\ud83d b \\ud83d\\ude00 c"}\n')
    made = Made(tmp_path / "out", {"source": "jsonl", "path": str(path)})
    assert [prompt.text for prompt in made.prompts("en_1-500")] == ["a \ufffd b 😀 c"]


def test_a_byte_order_mark_and_windows_line_ends_are_no_matter(tmp_path: Path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD + b"\r\n" + json.dumps(row(2)).encode() + b"\r\n")
    made = Made(tmp_path / "out", {"source": "jsonl", "path": str(path)})
    assert rows_of(made) == ["hotpotqa:id1", "hotpotqa:id2"]


def test_nothing_is_left_in_the_home_folder(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(home))
    Made(tmp_path / "out", {"source": "longbench", "path": str(folder)})
    assert list(home.rglob("*")) == []
