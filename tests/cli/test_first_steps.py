"""The first five minutes: a configuration to begin with, the demo, and the lists of what there is."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from genai_prices import Usage, calc_price

from fmbench.cli import main
from fmbench.config.load import load_config
from fmbench.config.shipped import folder
from fmbench.core.accounting import Accounting
from fmbench.run import finish

ROOT = Path(__file__).resolve().parents[2]
SHORT = ["load={concurrency: [2], warmup_s: 0, duration_s: 0.5, min_requests: 0}", "dataset.prompts_per_bucket=2"]
SHORT += ['dataset.buckets=["2000-3000"]']


def call(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fmbench", *arguments]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False)


def test_a_first_configuration_is_short_commented_and_plans(tmp_path: Path):
    done = call(tmp_path, "init", "--model", "nova-lite", "--model", "meta.llama9-1b-v1:0", "--simulate")
    assert (done.returncode, done.stdout) == (0, "cfg.yml\n")
    text = (tmp_path / "cfg.yml").read_text()
    assert len(text.splitlines()) <= 25 and text.count("#") >= 8
    config = load_config(str(tmp_path / "cfg.yml")).config
    assert [model.id for model in config.models] == ["us.amazon.nova-lite-v1:0", "meta.llama9-1b-v1:0"]
    assert config.simulator is not None and config.budget.max_usd == 5
    plan = call(tmp_path, "cfg.yml", "--dry-run", "--set", "dataset.prompts_per_bucket=2")
    assert plan.returncode in (0, 3), plan.stderr
    assert "nova-lite" in plan.stdout and "every cell is expected to bring them" in plan.stdout
    again = call(tmp_path, "init", "--model", "nova-lite")
    assert again.returncode == 3 and "exists already" in again.stderr
    assert (tmp_path / "cfg.yml").read_text() == text


def test_without_simulate_the_endpoint_is_aws(tmp_path: Path):
    assert call(tmp_path, "init", "mine.yml", "--model", "haiku", "--region", "eu-west-1").returncode == 0
    config = load_config(str(tmp_path / "mine.yml")).config
    assert (config.simulator, config.region, config.name) == (None, "eu-west-1", "mine")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "--model ID (repeatable), or --from"),
        (["--from", "longbnch"], 2, 'did you mean "longbench"?'),
        (["--from", "nova", "--simulate"], 2, "leave --model and --simulate out"),
        (["--model", "nosuch"], 2, 'no model is called "nosuch"'),
        (["not/there/cfg.yml", "--model", "haiku"], 3, "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_said(arguments: list[str], status: int, said: str, tmp_path: Path):
    done = call(tmp_path, "init", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_shipped_configuration_is_taken_as_it_is(tmp_path: Path):
    for name in ("compare-families", "quickstart"):
        assert call(tmp_path, "init", f"{name}.yml", "--from", name).returncode == 0
        assert (tmp_path / f"{name}.yml").read_text() == (ROOT / f"configs/{name}.yml").read_text()


def test_on_a_terminal_it_asks_and_asks_again_for_what_cannot_be(tmp_path: Path):
    answers = [
        "palmyra-x5, nosuch",
        "palmyra-x5, mistral.m-1",
        "nowhere",
        "us-west-2",
        "",
        "9-3",
        "100-400",
        "1,x",
        "3",
        "-1",
        "0.7",
        "2",
        "no",
    ]
    keyboard, terminal = pty.openpty()
    command = [sys.executable, "-m", "fmbench", "init", "asked.yml"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        os.close(terminal)
        os.write(keyboard, "".join(f"{answer}\n" for answer in answers).encode())
        out, said = process.communicate(timeout=60)
    os.close(keyboard)
    assert (process.returncode, out) == (0, "asked.yml\n"), said
    assert [said.count(word) for word in ("no model is called", "is no region", "no range of tokens", "no list of numbers")] == [
        1,
        1,
        1,
        1,
    ]
    config = load_config(str(tmp_path / "asked.yml")).config
    assert [model.id for model in config.models] == ["us.writer.palmyra-x5-v1:0", "mistral.m-1"]
    assert (config.region, config.dataset.buckets, config.load.concurrency) == ("us-west-2", ["100-400"], [3])
    limits = config.objectives.model_dump()
    assert (limits["ttft_p95_s"], limits["e2e_p95_s"], config.simulator) == (0.7, 2.0, None)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the demo ran, shortened."""
    where = tmp_path_factory.mktemp("demo")
    done = call(where, "demo", *[part for setting in SHORT for part in ("--set", setting)])
    assert done.returncode == 0, done.stderr
    assert (where / done.stdout.splitlines()[-1] / "report.html").exists()
    assert "report.html" in done.stderr and all(
        f"fmbench-load {what}" in done.stderr.splitlines()[-1] for what in ("init", "check")
    )
    return where


def test_runs_are_listed_as_their_own_files_tell(demo: Path):
    (folder_,) = (demo / "results").iterdir()
    manifest, summary = (json.loads((folder_ / name).read_text()) for name in ("manifest.json", "summary.json"))
    records = pd.read_parquet(folder_ / "records")
    (line,) = call(demo, "runs", "--json").stdout.splitlines()
    run = json.loads(line)
    assert (run["run_id"], run["name"], run["requests"]) == (manifest["run_id"], "quickstart", len(records))
    assert run["validity"] == summary["validity"]["verdict"]
    table = call(demo, "runs", "results").stdout
    assert "quickstart" in table and run["validity"] in table
    assert call(demo, "report", run["address"]).returncode == 0
    (demo / "results/broken").mkdir()
    (demo / "results/broken/manifest.json").write_text("{")
    assert len(call(demo, "runs", "--json").stdout.splitlines()) == 1


def test_what_is_no_place_of_runs_is_said(tmp_path: Path):
    done = call(tmp_path, "runs", "nowhere")
    assert done.returncode == 2 and "there is no run below it" in done.stderr


def test_shipped_configurations_are_listed_and_shown(capsys: pytest.CaptureFixture[str]):
    assert main(["configs"]) == 0
    listed = capsys.readouterr().out
    assert {path.stem for path in ROOT.glob("configs/*.yml")} == set(
        re.findall(r"^([a-z0-9-]+) +\d+ models", listed, flags=re.MULTILINE)
    )
    assert main(["configs", "nova"]) == 0
    assert capsys.readouterr().out == (folder() / "nova.yml").read_text()


def test_models_are_those_of_the_shipped_configurations_with_their_prices(capsys: pytest.CaptureFixture[str]):
    assert main(["models"]) == 0
    rows = {line.split()[0]: line.split()[1:3] for line in capsys.readouterr().out.splitlines()[1:]}
    files = [yaml.safe_load(path.read_text()) for path in ROOT.glob("configs/*.yml")]
    assert {model["id"] for file in files for model in file.get("models", ())} == set(rows)
    nova = calc_price(
        Usage(input_tokens=1_000_000, output_tokens=1_000_000), model_ref="us.amazon.nova-lite-v1:0", provider_id="aws"
    )
    assert [float(price) for price in rows["us.amazon.nova-lite-v1:0"]] == [float(nova.input_price), float(nova.output_price)]
    assert main(["models", "nova-lite", "--all"]) == 0
    assert "\namazon.nova-lite-v1:0 " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "wanted"), [(["re"], {"report"}), (["compare", "--fail"], {"--fail-on"}), (["cfg.yml", "--dr"], {"--dry-run"})]
)
def test_bash_completes_commands_and_options(words: list[str], wanted: set[str], tmp_path: Path):
    script = call(tmp_path, "completion", "bash").stdout
    asked = f"COMP_WORDS=(fmbench-load {' '.join(words)}); COMP_CWORD={len(words)}; _fmbench_load; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{asked}"], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30
    )
    assert set(done.stdout.split()) == wanted


def test_other_shells_get_a_script_too(tmp_path: Path):
    assert "bashcompinit" in call(tmp_path, "completion", "zsh").stdout
    assert "-a compare" in call(tmp_path, "completion", "fish").stdout


@pytest.mark.parametrize(("retry", "words"), [(None, "7 requests sent"), ({"attempts": 3}, "7 attempts sent")])
def test_the_last_lines_say_what_they_count(retry: dict[str, int] | None, words: str, capsys: pytest.CaptureFixture[str]):
    manifest = {"status": "done", "config": {"load": {} if retry is None else {"retry": retry}}}
    finish._tell(Accounting(sent=7, ok=5, failed=2), manifest, None, "results/run")
    assert f"{words}: 5 ok, 2 failed. Status: done." in capsys.readouterr().err
