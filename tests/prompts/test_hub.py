"""The hub's datasets: by revision, from its cache without a network, and a plain message when they cannot be had.

The real client speaks to a hub on a loopback port (``fake_hub``), in a process of its own: it reads its variables at import.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fmbench.core.failures import UnusableInput
from tests.prompts.fake_hub import COMMIT, fake_hub
from tests.prompts.making import Made, row, write_rows

PROGRAM = """
import json, sys, pathlib
from fmbench.config.schema import Config
from fmbench.core.failures import FmbenchError
from fmbench.prompts.prepare import prepare
try:
    outcome = prepare(Config.model_validate(json.loads(sys.argv[1])), pathlib.Path(sys.argv[2]), lambda *_: None)
except FmbenchError as error:
    sys.exit(str(error))
counts = {name: bucket.count for name, bucket in outcome.buckets.items()}
print(json.dumps({"datasets": outcome.datasets, "counts": counts, "warnings": outcome.warnings}))
"""
NOWHERE = "http://127.0.0.1:9"
MAPPED = {"columns": {"input": "question", "context": "passage"}}


def prepared(home: Path, url: str, dataset: dict[str, Any], offline: bool = False) -> subprocess.CompletedProcess[str]:
    variables = {"HF_ENDPOINT": url, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1" if offline else "0"}
    config = json.dumps({"models": [{"id": "m"}], "dataset": {"buckets": ["1-500"], **dataset}})
    command = [sys.executable, "-c", PROGRAM, config, str(home / "prompts")]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=120)


def said(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A repository with LongBench's data.zip, of a few rows of ours."""
    folder = tmp_path / "repo"
    folder.mkdir()
    with zipfile.ZipFile(folder / "data.zip", "w") as file:
        file.writestr("data/hotpotqa.jsonl", "\n".join(json.dumps(row(n)) for n in range(8)))
    return folder


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A repository with two configurations as Parquet."""
    folder = tmp_path / "mirror"
    for task in ("hotpotqa", "qasper"):
        (folder / task).mkdir(parents=True)
        rows = [{"question": each["input"], "passage": each["context"]} for each in (row(n) for n in range(4))]
        pd.DataFrame(rows).assign(question=task).to_parquet(folder / task / "test-00000-of-00001.parquet")
    entries = "".join(
        f"- config_name: {task}\n  data_files:\n  - split: test\n    path: {task}/test-*\n" for task in ("hotpotqa", "qasper")
    )
    (folder / "README.md").write_text(f"---\nconfigs:\n{entries}---\n# A mirror\n")
    return folder


def test_longbench_s_archive_is_fetched_and_found_again_without_a_network(tmp_path: Path, archive: Path):
    with fake_hub("zai-org/LongBench", archive) as url:
        online = said(prepared(tmp_path, url, {"source": "longbench", "revision": "main"}))
    assert online["counts"] == {"en_1-500": 8}
    assert online["datasets"][0]["revision"] == COMMIT
    offline = said(prepared(tmp_path, NOWHERE, {"source": "longbench", "revision": "main"}, offline=True))
    assert offline == online


def test_an_archive_that_is_not_the_pinned_one_is_refused(tmp_path: Path, archive: Path):
    with fake_hub("zai-org/LongBench", archive) as url:
        done = prepared(tmp_path, url, {"source": "longbench"})
    assert done.returncode
    assert "has not the SHA-256" in done.stderr


def test_a_mirror_s_configurations_are_tasks(tmp_path: Path, mirror: Path):
    with fake_hub("some/LongBench", mirror) as url:
        everything = said(prepared(tmp_path, url, {"source": "longbench", "repo": "some/LongBench", **MAPPED}))
        one = said(prepared(tmp_path, url, {"source": "longbench", "repo": "some/LongBench", "tasks": ["qasper"], **MAPPED}))
    assert everything["datasets"][0]["tasks"] == {"hotpotqa": 4, "qasper": 4}
    assert one["datasets"][0]["tasks"] == {"qasper": 4}
    assert one["datasets"][0]["revision"] == COMMIT
    assert COMMIT in one["warnings"][0], "the run says how to pin the revision"


def test_any_dataset_by_subset_and_revision(tmp_path: Path, mirror: Path):
    dataset = {"source": "huggingface", "repo": "some/data", "subset": "qasper", "revision": COMMIT, **MAPPED}
    with fake_hub("some/data", mirror) as url:
        online = said(prepared(tmp_path, url, dataset))
        wrong = prepared(tmp_path, url, {**dataset, "subset": "nope"})
    assert online["counts"] == {"en_1-500": 4}
    assert online["datasets"][0]["revision"] == COMMIT
    assert "BuilderConfig 'nope' not found" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_a_dataset_in_the_hub_s_cache_needs_no_network(tmp_path: Path, mirror: Path):
    snapshot = tmp_path / "hub" / "datasets--some--data" / "snapshots" / COMMIT
    snapshot.parent.mkdir(parents=True)
    mirror.rename(snapshot)
    dataset = {"source": "huggingface", "repo": "some/data", "subset": "qasper", **MAPPED}
    offline = said(prepared(tmp_path, NOWHERE, dataset, offline=True))
    assert offline["counts"] == {"en_1-500": 4}
    assert offline["datasets"][0]["revision"] == COMMIT


@pytest.mark.parametrize(
    ("dataset", "offline"), [({"source": "longbench"}, True), ({"source": "huggingface", "repo": "some/data"}, False)]
)
def test_a_hub_that_cannot_be_had_is_one_message(tmp_path: Path, dataset: dict[str, Any], offline: bool):
    done = prepared(tmp_path, NOWHERE, dataset, offline)
    assert done.returncode
    assert "cannot be fetched from the Hugging Face hub" in done.stderr
    assert "dataset.path" in done.stderr
    assert "Traceback" not in done.stderr


def table(path: Path) -> Path:
    pd.DataFrame(
        [{"question": "Who?", "passage": each["context"], "answers": {"text": ["Ann"]}} for each in map(row, range(3))]
    ).to_parquet(path)
    return path


def test_a_parquet_file_that_is_here(tmp_path: Path):
    path = table(tmp_path / "mine.parquet")
    made = Made(tmp_path / "out", {"source": "huggingface", "path": str(path), "buckets": ["1-500"], **MAPPED})
    assert {(prompt.dataset, *prompt.answers) for prompt in made.prompts("en_1-500")} == {("mine", "Ann")}
    assert len(made.prompts("en_1-500")) == 3


def test_a_folder_a_json_and_a_csv_file_that_are_here(tmp_path: Path):
    write_rows(
        tmp_path / "folder" / "train.jsonl", [{"question": "Who?", "passage": each["context"]} for each in map(row, range(3))]
    )
    pd.DataFrame([{"question": "Who?", "passage": "Ann."}]).to_csv(tmp_path / "one.csv")
    for place, count in (("folder", 3), ("folder/train.jsonl", 3), ("one.csv", 1)):
        made = Made(tmp_path / "out" / place, {"source": "huggingface", "path": str(tmp_path / place), **MAPPED})
        assert len(made.prompts("en_1-500")) == count


@pytest.mark.parametrize(
    ("dataset", "part"),
    [
        ({"path": "/nonexistent/rows.parquet"}, "does not exist"),
        ({}, "dataset.repo: is needed"),
        ({"columns": {"input": "nope"}}, "no column 'nope' (dataset.columns.input); it has answers, passage, question"),
        ({"columns": {"input": "answers"}}, "'input' holds a dict"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, dataset: dict[str, Any], part: str):
    path = table(tmp_path / "mine.parquet")
    place = {"path": str(path)} if "columns" in dataset else {}
    with pytest.raises(UnusableInput) as raised:
        Made(tmp_path / "out", {"source": "huggingface", **place, **dataset})
    assert part in str(raised.value)
