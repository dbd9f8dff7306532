"""``--config -``: a configuration that comes on standard input."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from fmbench.config.load import parse_config
from fmbench.core.estimate import Estimate
from fmbench.core.failures import Refused, UnusableInput
from fmbench.deploy import ecs
from fmbench.run import checks
from fmbench.run.options import Options

REAL = "models: [{id: us.amazon.nova-lite-v1:0}]\n"
BASE = REAL + "dataset: {source: jsonl, path: rows.jsonl, buckets: [1-500]}\nload: {concurrency: [1]}\nsimulator: {}\n"
ESTIMATE = Estimate(rows=[], requests=9000, input_tokens=1, output_tokens=1, seconds=60.0, usd=None, unpriced=["lite"])


def call(text: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fmbench", *arguments]
    return subprocess.run(command, input=text, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_the_plan_is_that_of_the_same_file_and_paths_are_of_the_working_directory(tmp_path: Path):
    (tmp_path / "rows.jsonl").write_text('{"context": "Tom has a dog.", "input": "Who has a dog?"}\n')
    (tmp_path / "base.yml").write_text(BASE)
    (tmp_path / "cfg.yml").write_text(text := "extends: base.yml\nname: piped\n")
    piped = call(text, "-", "--dry-run", cwd=tmp_path)
    assert piped.returncode == 0, piped.stderr
    assert piped.stdout == call("", "--config", "cfg.yml", "--dry-run", cwd=tmp_path).stdout
    assert "nova-lite" in piped.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("models: [{id: a}]\nlaod: {}\n", ["standard input:2", "laod", '"load"']),
        ("", ["standard input", "is empty"]),
        ("a: " + "x" * 1_000_001, ["standard input", "larger than 1 MB"]),
    ],
)
def test_a_fault_is_said_to_be_there(text: str, words: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    with pytest.raises(UnusableInput) as error:
        Options(config="-").load()
    assert all(word in str(error.value) for word in words)


def test_no_standard_input_at_all_is_one_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UnusableInput, match=r"standard input: cannot be read.*pipe a configuration into it"):
        Options(config="-").load()


def test_a_study_on_ecs_wants_a_file():
    with pytest.raises(UnusableInput, match=r"--config -.*give its path"):
        ecs.run("stack", 1, "-", "results")


def test_who_types_it_is_told_how_to_end_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    typed = io.TextIOWrapper(io.BytesIO(BASE.replace("source: jsonl, path: rows.jsonl, ", "").encode()))
    monkeypatch.setattr(typed, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", typed)
    assert Options(config="-").load().config.models[0].id == "us.amazon.nova-lite-v1:0"
    assert "Ctrl-D ends it" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("options", "terminal", "refused"),
    [
        (Options(config="-"), True, True),
        (Options(config="-", yes=True), True, False),
        (Options(config="-"), False, False),
        (Options(config="cfg.yml"), True, False),
    ],
)
def test_who_could_not_answer_is_not_charged(options: Options, terminal: bool, refused: bool, monkeypatch: pytest.MonkeyPatch):
    """Somebody at a terminal would be asked; a pipeline, which has none, never is."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys, "stderr", Terminal() if terminal else io.StringIO())
    monkeypatch.setattr(checks, "target_name", lambda config: "aws")
    config, estimate = parse_config(REAL, "cfg.yml").config, ESTIMATE
    if not refused:
        return checks.ask_before_spending(config, estimate, options)
    with pytest.raises(Refused, match=r"nothing was sent.*--yes"):
        checks.ask_before_spending(config, estimate, options)
