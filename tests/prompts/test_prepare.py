"""The prepare step: half-open buckets, a fate for each row, a sample that the order of rows does not change, plain messages."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fmbench.core.failures import UnusableInput
from fmbench.prompts import payload
from fmbench.prompts.tokens import default_tokenizer
from tests.prompts.making import Made, row, write_rows
from tests.support.shared import LONGBENCH


def jsonl(path: Path, **rest: Any) -> dict[str, Any]:
    return {"source": "jsonl", "path": str(path), **rest}


def exact_lengths(tmp_path: Path) -> dict[int, int]:
    """Tokens sent for rows of 100, 110, … words, by our tokenizer and without a salt."""
    made = Made(
        tmp_path / "lengths",
        jsonl(write_rows(tmp_path / "r.jsonl", [row(n, n) for n in range(100, 200, 10)]), buckets=["1-9999"]),
        cache="allow",
    )
    return {int(each["prompt_id"].split("id")[1]): int(each["tokens"]) for each in made.fates()}


def test_a_bucket_holds_its_lower_edge_and_not_its_upper(tmp_path: Path):
    lengths = exact_lengths(tmp_path)
    edge = lengths[150]
    path = write_rows(tmp_path / "rows.jsonl", [row(150, 150)])
    low = Made(tmp_path / "low", jsonl(path, buckets=[f"{edge}-{edge + 1}"]), cache="allow")
    assert [prompt.tokens for prompt in low.prompts(f"en_{edge}-{edge + 1}")] == [edge]
    with pytest.raises(UnusableInput, match="too long"):
        Made(tmp_path / "high", jsonl(path, buckets=[f"{edge - 50}-{edge}"]), cache="allow")


def test_every_row_has_a_stated_fate(tmp_path: Path):
    lengths = exact_lengths(tmp_path)
    rows = [
        row(100, 100),
        row(110, 110),
        row(120, 120),
        row(190, 190),
        row(140, 140),
        row(1, 150, language="zh"),
        row(2, 150, dataset="triviaqa"),
        row(3, 150, context="  ", input="\n"),
        row(4, 150, context=None, input=None),
        row(120, 120, _id="again"),
    ]
    buckets = [f"{lengths[110]}-{lengths[130]}", f"{lengths[160]}-{lengths[170]}", f"{lengths[170]}-{lengths[190]}"]
    dataset = jsonl(write_rows(tmp_path / "rows.jsonl", rows), buckets=buckets, tasks=["hotpotqa"], prompts_per_bucket=1)
    made = Made(tmp_path / "out", dataset, cache="allow")
    fates = [(each["where"].split(" ")[-1], each["fate"]) for each in made.fates()]
    counts = Counter(fate for _, fate in fates)
    assert len(fates) == len(rows)
    assert fates[0] == ("1", "too short")
    assert fates[3] == ("4", "too long")
    assert fates[4] == ("5", "between buckets")
    assert fates[5:9] == [("6", "wrong language"), ("7", "wrong task"), ("8", "empty"), ("9", "empty")]
    assert counts["duplicate"] == 1
    assert counts["kept"] == counts["sampled out"] == 1
    assert made.outcome.datasets[0]["fates"] == dict(counts)
    assert made.outcome.datasets[0]["tasks"] == {"hotpotqa": 9, "triviaqa": 1}


def test_overlapping_buckets_share_rows(tmp_path: Path):
    path = write_rows(tmp_path / "rows.jsonl", [row(n) for n in range(6)])
    made = Made(tmp_path / "out", jsonl(path, buckets=["1-500", "50-1000"], prompts_per_bucket=4))
    assert [len(made.prompts(bucket)) for bucket in ("en_1-500", "en_50-1000")] == [4, 4]
    fates = made.fates()
    assert len(fates) == 12
    assert Counter((each["bucket"], each["fate"]) for each in fates) == {
        ("en_1-500", "kept"): 4,
        ("en_1-500", "sampled out"): 2,
        ("en_50-1000", "kept"): 4,
        ("en_50-1000", "sampled out"): 2,
    }


def test_the_order_of_rows_changes_nothing_and_the_seed_does(tmp_path: Path):
    rows = [row(n) for n in range(60)]
    shuffled = random.Random(3).sample(rows, len(rows))
    first = Made(tmp_path / "a", jsonl(write_rows(tmp_path / "1.jsonl", rows), prompts_per_bucket=20), seed=1)
    second = Made(tmp_path / "b", jsonl(write_rows(tmp_path / "2.jsonl", shuffled), prompts_per_bucket=20), seed=1)
    other = Made(tmp_path / "c", jsonl(tmp_path / "1.jsonl", prompts_per_bucket=20), seed=2)
    assert first.prompts("en_1-500") == second.prompts("en_1-500")
    assert first.outcome.buckets == second.outcome.buckets
    assert first.prompts("en_1-500") != other.prompts("en_1-500")


def test_each_row_is_as_likely_as_any_other(tmp_path: Path):
    path = write_rows(tmp_path / "rows.jsonl", [row(n) for n in range(20)])
    kept: Counter[str] = Counter()
    for seed in range(40):
        made = Made(tmp_path / str(seed), jsonl(path, prompts_per_bucket=5, buckets=["1-500"]), seed=seed)
        kept.update(prompt.prompt_id for prompt in made.prompts("en_1-500"))
    # 40 draws of 5 in 20: each row is kept 10 times on average, with a standard deviation of 2.7.
    assert len(kept) == 20
    assert max(kept.values()) <= 22


def test_tokens_are_the_local_count_of_the_exact_text_sent(tmp_path: Path):
    path = write_rows(tmp_path / "rows.jsonl", [row(n, 100 + 10 * n) for n in range(5)])
    tokenizer = default_tokenizer()
    for cache in ("allow", "salt"):
        made = Made(tmp_path / cache, jsonl(path), cache=cache)
        for prompt in made.prompts("en_1-500"):
            sent = payload.salted(prompt.text, payload.salt_of("any", 1)) if cache == "salt" else prompt.text
            assert prompt.tokens == tokenizer.count(sent)


def test_what_is_said_of_a_bucket_is_what_its_file_holds(tmp_path: Path):
    path = write_rows(tmp_path / "rows.jsonl", [row(n, 100 + 10 * n) for n in range(9)])
    made = Made(tmp_path / "out", jsonl(path, buckets=["1-500"]))
    info = made.outcome.buckets["en_1-500"]
    tokens = [prompt.tokens for prompt in made.prompts("en_1-500")]
    assert (info.count, info.tokens_min, info.tokens_max) == (9, min(tokens), max(tokens))
    assert info.tokens_mean == pytest.approx(sum(tokens) / 9)
    assert info.sha256 == hashlib.sha256((made.folder / info.file).read_bytes()).hexdigest()


def test_a_thin_and_an_empty_bucket_are_named_with_what_the_data_holds(tmp_path: Path):
    path = write_rows(tmp_path / "rows.jsonl", [row(n) for n in range(9)])
    made = Made(tmp_path / "out", jsonl(path, buckets=["1-500", "4000-5000"], prompts_per_bucket=50))
    assert made.outcome.warnings == [
        "bucket en_1-500 has 9 prompts of the 50 asked; the data holds 9 en prompts: 9 of 0-500 tokens",
        "bucket en_4000-5000 has 0 prompts of the 50 asked; the data holds 9 en prompts: 9 of 0-500 tokens",
    ]
    assert list(made.outcome.buckets) == ["en_1-500"]
    assert not (made.folder / "payload_en_4000-5000.jsonl").exists()


def test_an_asked_task_that_the_data_lacks_is_named(tmp_path: Path):
    path = write_rows(tmp_path / "rows.jsonl", [row(1)])
    made = Made(tmp_path / "out", jsonl(path, tasks=["hotpotqa", "qasper"], prompts_per_bucket=1, buckets=["1-500"]))
    assert made.outcome.warnings == ["dataset.tasks: 'qasper' is not in the data, which has hotpotqa"]


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        ({"languages": ["zh"]}, ["no zh prompt", "3 en rows", "3 wrong language"]),
        ({"tasks": ["qasper"]}, ["3 wrong task", "3 hotpotqa"]),
        ({"buckets": ["4000-5000"]}, ["3 en prompts: 3 of 0-500 tokens", "3 too short"]),
    ],
)
def test_when_nothing_fits_the_message_says_what_there_is(tmp_path: Path, asked: dict[str, Any], parts: list[str]):
    path = write_rows(tmp_path / "rows.jsonl", [row(n) for n in range(3)])
    with pytest.raises(UnusableInput) as raised:
        Made(tmp_path / "out", jsonl(path, **asked))
    assert all(part in str(raised.value) for part in parts)


def test_an_empty_bucket_of_interest_is_refused(tmp_path: Path):
    path = write_rows(tmp_path / "rows.jsonl", [row(n) for n in range(3)])
    with pytest.raises(UnusableInput, match=r"objectives\.bucket: en_500-1000 has no prompt"):
        Made(tmp_path / "out", jsonl(path), objectives={"bucket": "en_500-1000"})


def test_ids_are_stable_and_tell_rows_apart(tmp_path: Path):
    rows = [row(1), row(2, _id="id1"), row(3, _id=None), row(4, dataset=None)]
    path = write_rows(tmp_path / "mine.jsonl", rows)
    made = Made(tmp_path / "out", jsonl(path))
    again = Made(tmp_path / "again", jsonl(path), seed=99)
    ids = [each["prompt_id"] for each in made.fates()]
    assert len(set(ids)) == 4
    assert ids == [each["prompt_id"] for each in again.fates()]
    assert [each.split(":")[0] for each in ids] == ["hotpotqa", "hotpotqa", "hotpotqa", "mine"]
    assert ids[0].startswith("hotpotqa:id1:"), "two rows share the id id1: both get their content's digest"


def test_the_same_configuration_gives_the_same_bytes(tmp_path: Path):
    path = write_rows(tmp_path / "rows.jsonl", [row(n) for n in range(30)])
    made = [Made(tmp_path / name, jsonl(path, prompts_per_bucket=7)) for name in ("a", "b")]
    files = [{file.name: file.read_bytes() for file in each.folder.iterdir()} for each in made]
    assert files[0] == files[1]


@pytest.mark.skipif(not LONGBENCH.exists(), reason="LongBench is not at hand")
def test_real_rows_in_english_and_chinese_are_all_accounted_for(tmp_path: Path):
    edges = [500, 1000, 2000, 4000, 8000, 16000]
    buckets = [f"{low}-{high}" for low, high in pairwise(edges)]
    made = Made(
        tmp_path, {"source": "longbench", "path": str(LONGBENCH), "languages": ["en", "zh"], "buckets": buckets}, cache="allow"
    )
    lines = sum(len(path.read_bytes().splitlines()) for path in LONGBENCH.glob("*.jsonl"))
    fates = made.fates()
    assert lines == len(fates) == made.outcome.datasets[0]["rows"]
    tokenizer = default_tokenizer()
    for bucket in made.outcome.buckets.values():
        language, span = bucket.name.split("_")
        low, high = map(int, span.split("-"))
        prompts = made.prompts(bucket.name)
        assert len(prompts) == bucket.count <= 50
        assert all(low <= prompt.tokens < high and prompt.language == language for prompt in prompts)
        assert all(tokenizer.count(prompt.text) == prompt.tokens for prompt in prompts[:5])
    kept = {each["prompt_id"] for each in fates if each["fate"] == "kept"}
    assert kept == {prompt.prompt_id for bucket in made.outcome.buckets for prompt in made.prompts(bucket)}
    for each in fates:
        tokens = int(each["tokens"] or -1)
        if each["fate"] in ("too long", "too short"):
            assert tokens >= 16000 if each["fate"] == "too long" else tokens < 500
        elif each["fate"] == "wrong language":
            assert each["language"] not in ("en", "zh")
        else:
            assert 500 <= tokens < 16000
