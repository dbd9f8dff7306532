"""Every shipped configuration loads, is planned, and runs: shortened, against the simulator."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from fmbench.cli import main
from fmbench.config.load import load_config
from fmbench.config.schema import Config

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(ROOT.glob("configs/*.yml"))
FAMILIES = {
    "ai21",
    "anthropic",
    "amazon",
    "cohere",
    "deepseek",
    "google",
    "meta",
    "minimax",
    "mistral",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "writer",
    "xai",
    "zai",
}

each_file = pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])


def config_of(file: Path) -> Config:
    """The file as the program reads it."""
    return load_config(str(file)).config


def shortened(file: Path, rows: Path, output: Path) -> list[str]:
    """Options that make a study of a few seconds of any file: its models, its bucket of interest, one level."""
    config = config_of(file)
    assert config.objectives.bucket is not None
    settings = {
        "simulator": "{}",
        "load": "{concurrency: [2], warmup_s: 0, duration_s: 0.5, min_requests: 0}",
        "dataset.buckets": f'["{config.objectives.bucket.partition("_")[2]}"]',
        "dataset.prompts_per_bucket": "3",
        "inference.max_tokens": "8",
    }
    if config.dataset.source == "longbench":
        settings["dataset.path"] = str(rows)
    return ["--output", str(output), *[part for key, value in settings.items() for part in ("--set", f"{key}={value}")]]


def fmbench_load(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as a user starts it."""
    command = [sys.executable, "-m", "fmbench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A folder with LongBench-shaped rows of about 2,500 tokens."""
    row = {
        "input": "Which town has the older bridge?",
        "context": "The bridge of Alder was built in 1602, and that of Birch in 1711. " * 130,
        "answers": ["Alder"],
        "length": 2000,
        "dataset": "hotpotqa",
        "language": "en",
        "all_classes": None,
    }
    folder = tmp_path / "longbench"
    folder.mkdir()
    for task in ("hotpotqa", "2wikimqa", "multi_news"):
        lines = [pd.Series({**row, "dataset": task, "_id": f"{task}-{number}"}).to_json() for number in range(4)]
        (folder / f"{task}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def test_there_is_a_file_for_each_family():
    ids = {model.id for file in FILES for model in config_of(file).models}
    providers = {part for model_id in ids for part in model_id.split(".")[:2]}
    assert providers >= FAMILIES


@each_file
def test_a_file_is_short_and_has_its_bucket_of_interest(file: Path):
    config = config_of(file)
    assert config.name == file.stem
    assert config.objectives.bucket in {
        f"{language}_{span}" for language in config.dataset.languages for span in config.dataset.buckets
    }
    assert config.budget.max_requests is not None, "a shipped file never runs without a limit"
    if file.stem != "quickstart":
        assert len(file.read_text().splitlines()) <= 25


@each_file
def test_a_dry_run_prints_the_plan_and_sends_nothing(file: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    status = main(["--config", str(file), "--dry-run", *shortened(file, rows, tmp_path / "results")])
    printed = "".join(capsys.readouterr())
    assert status == 0, printed
    assert all(model.name in printed for model in config_of(file).models)
    assert list(tmp_path.glob("results/*/records")) == []


@pytest.mark.slow
@pytest.mark.long
@each_file
def test_a_file_runs_to_its_report(file: Path, rows: Path, tmp_path: Path):
    done = fmbench_load("--config", str(file), "--yes", *shortened(file, rows, tmp_path / "results"))
    assert done.returncode == 0, done.stderr
    run = Path(done.stdout.splitlines()[-1])
    records = pd.read_parquet(run / "records")
    assert set(records["model"]) == {model.name for model in config_of(file).models}
    assert set(records["outcome"]) == {"ok"}
    assert all(model.name in (run / "report.md").read_text() for model in config_of(file).models)
