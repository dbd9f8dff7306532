"""From Python: the notebook of the documentation runs, and says what the run's own files say."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

import fmbench
from fmbench.core.failures import FmbenchError, UnusableInput
from fmbench.python import _plain
from tests.load.studies import wait_for

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The names that the notebook's cells leave behind."""
    folder = tmp_path_factory.mktemp("notebook")
    cells = json.loads((ROOT / "docs/from-python.ipynb").read_text())["cells"]
    names: dict[str, Any] = {}
    before = os.getcwd()
    os.chdir(folder)
    try:
        for cell in cells:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), names)
        names["run"] = fmbench.load_run((folder / names["run"].address).resolve())
        names["folder"] = folder
    finally:
        os.chdir(before)
    return names


def test_the_notebook_s_figures_are_the_run_s_own(notebook: dict[str, Any]):
    run = notebook["run"]
    assert run.manifest["status"] == "done"
    assert run.summary == json.loads((Path(run.address) / "summary.json").read_text())
    assert run.recommendation == run.summary["recommendation"]
    assert len(run.records) == run.manifest["accounting"]["sent"]
    rows = pd.read_parquet(Path(run.address) / "records")
    rows = rows[(rows["phase"] == "measure") & (rows["outcome"] == "ok")]
    for model in ("nova-lite", "haiku"):
        assert notebook["medians"][model] == pytest.approx(rows[rows["model"] == model]["ttft_s"].median())


def test_other_objectives_give_what_a_run_with_them_would(notebook: dict[str, Any]):
    run, stricter = notebook["run"], notebook["stricter"]
    assert run.recommendation is not None and run.recommendation["model"] == "nova-lite", (
        "the cheaper of two that are good enough"
    )
    assert stricter["recommendation"]["model"] == "haiku", "the only one whose first token comes within 75 ms"
    assert run.summary["objectives"]["ttft_p50_s"] == 0.5 and stricter["objectives"]["ttft_p50_s"] == 0.075


def test_the_command_says_the_same_and_leaves_the_run_alone(notebook: dict[str, Any]):
    run, folder = notebook["run"], notebook["folder"]
    before = {path: path.read_bytes() for path in Path(run.address).rglob("*") if path.is_file()}
    command = [sys.executable, "-m", "fmbench", "report", run.address, "--set", "objectives.ttft_p50_s=0.075"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=True)
    there = folder / done.stdout.strip()
    assert json.loads((there / "summary.json").read_text()) == json.loads(json.dumps(notebook["stricter"]))
    assert "0.075" in (there / "report.md").read_text() and (there / "report.html").exists()
    assert {path: path.read_bytes() for path in Path(run.address).rglob("*") if path.is_file()} == before
    for bad in ("load.seed=3", "objectives.ttft_p50=3"):
        refused = subprocess.run([*command[:-1], bad], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        assert refused.returncode == 2 and "Traceback" not in refused.stderr


def test_what_cannot_run_is_the_program_s_own_message():
    with pytest.raises(FmbenchError, match=r"load\.users.*did you mean .concurrency.") as refused:
        fmbench.run({"models": [{"id": "amazon.nova-lite-v1:0"}], "load": {"users": [1]}, "simulator": {}})
    assert "Traceback" not in str(refused.value)
    with pytest.raises(UnusableInput, match="is no run folder"):
        fmbench.load_run("nowhere")


SMALL = {
    "models": [{"id": "us.amazon.nova-lite-v1:0", "label": "lite"}],
    "inference": {"max_tokens": 8},
    "dataset": {"buckets": ["1-300"], "prompts_per_bucket": 3},
    "load": {"concurrency": [2], "warmup_s": 0.1, "duration_s": 0.8, "min_requests": 0},
    "simulator": {"profile": {"ttft_s": 0.03, "tpot_s": 0.002}},
}


@pytest.mark.slow
def test_two_runs_at_once_from_threads_and_a_loop(tmp_path: Path):
    async def both() -> list[fmbench.Run]:
        where = {"output": tmp_path / "results"}
        return list(await asyncio.gather(*(asyncio.to_thread(fmbench.run, SMALL, seed=seed, **where) for seed in (1, 2))))

    first, second = asyncio.run(both())
    assert first.address != second.address and {first.status, second.status} == {0}
    assert [run.manifest["seed"] for run in (first, second)] == [1, 2]
    assert min(len(run.records) for run in (first, second)) > 0


@pytest.mark.slow
def test_an_interrupt_ends_the_run_in_good_order(tmp_path: Path):
    long = {**SMALL, "load": {**SMALL["load"], "duration_s": 60}}  # type: ignore[dict-item]
    script = f"import fmbench\ntry:\n    fmbench.run({long!r}, output='results')\nexcept KeyboardInterrupt as e:\n    print(e)\n"
    process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: any(path.stat().st_size for path in tmp_path.glob("results/*/journal/*.jsonl")))
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    run = fmbench.load_run(tmp_path / said.strip().removeprefix("what ran is in "))
    assert run.manifest["status"] == "interrupted"
    assert len(run.records) == run.manifest["accounting"]["sent"] > 0


def test_a_simulator_answers_until_it_is_stopped():
    with fmbench.simulator(profile={"ttft_s": 0.01}) as server:
        assert server.url.startswith("http://127.0.0.1:")


def test_the_worked_questions_of_the_records_page_have_answers(notebook: dict[str, Any]):
    page = (ROOT / "docs/records.md").read_text().split("## Questions")[1]
    run = Path(notebook["run"].address)
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL):
        exec(block.replace('"results/<run_id>', f'"{run}'), names)
    rows = pd.read_parquet(run / "records")
    failed = rows[rows["outcome"] != "ok"]
    assert names["failures"].sum() == len(failed)
    for block in re.findall(r"^```sql\n(-- DuckDB.*?)^```", page, flags=re.MULTILINE | re.DOTALL):
        found = duckdb.sql(block.replace("results/<run_id>", str(run))).df()
        ok = rows[(rows["phase"] == "measure") & (rows["outcome"] == "ok")]
        assert found["requests"].sum() == len(ok)
        assert dict(zip(found["model"], found["ttft_p50_s"], strict=True)) == pytest.approx(
            ok.groupby("model")["ttft_s"].median().to_dict()
        )
    (table,) = re.findall(r"^```sql\n(-- Athena\n.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    declared = {name for name, _ in re.findall(r"^  `(\w+)` (\w+)", table, flags=re.MULTILINE)}
    assert declared == set(rows.columns)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fmbench.run({"models": [{"id": "a.b"}], "load": {"concurrency": 3}}), "the configuration: load.concurrency = 3"),
        (lambda: fmbench.run({"models": [{"id": object()}]}), "the configuration, models, id: is a object"),
        (lambda: fmbench.compare("nowhere", "nowhere"), "nowhere: is no run folder"),
        (lambda: fmbench.simulator(nope=1), "simulator.nope = 1: is an unknown key"),
        (lambda: fmbench.simulator(profile={"ttft_s": -1}), "simulator.profile.ttft_s = -1: is too small"),
    ],
)
def test_what_cannot_be_used_is_said_in_the_program_s_words(call: Any, words: str):
    with pytest.raises(FmbenchError) as caught:
        call()
    assert words in str(caught.value) and "/fmbench-load-" not in str(caught.value)


def test_numbers_of_numpy_paths_and_tuples_are_values_of_a_configuration(tmp_path: Path):
    given = {
        "load": {"concurrency": np.array([1, 2]), "warmup_s": np.float64(0.5)},
        "output": tmp_path,
        "models": ({"id": "a.b"},),
    }
    plain = {"load": {"concurrency": [1, 2], "warmup_s": 0.5}, "output": str(tmp_path), "models": [{"id": "a.b"}]}
    assert _plain(given, "") == plain


def test_runs_are_compared_by_their_addresses_too(notebook: dict[str, Any]):
    address = notebook["run"].address
    assert fmbench.compare(address, Path(address)).to_dict() == fmbench.compare(notebook["run"], notebook["run"]).to_dict()
