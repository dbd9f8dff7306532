"""A name that the system does not take is one short message, wherever it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from fmbench.cli import main

LONG = "x" * 5000


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", LONG],
        ["report", LONG],
        ["compare", LONG, LONG],
        ["check", "--config", LONG],
        ["import-fmbench", LONG],
        ["--config", "{config}", "--dry-run", "--set", "dataset.source=jsonl", "--set", f"dataset.path={LONG}"],
    ],
)
def test_a_name_that_is_too_long(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "cfg.yml"
    config.write_text("models: [{id: amazon.nova-lite-v1:0}]\nsimulator: {}\n", encoding="utf-8")
    status = main([each.format(config=config) for each in arguments])
    said = capsys.readouterr().err
    assert status == 2 and "fault of the program" not in said
    assert "too long" in said


@pytest.mark.parametrize(
    "output", [f"{{folder}}/{LONG}", "{folder}/cfg.yml/below", f"s3://bucket/{LONG}", "{folder}/" + "y/" * 2100]
)
def test_an_output_that_cannot_be_is_refused_before_anything_is_planned(
    output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "cfg.yml"
    config.write_text("models: [{id: amazon.nova-lite-v1:0}]\nsimulator: {}\n", encoding="utf-8")
    status = main(["--config", str(config), "--dry-run", "--output", output.format(folder=tmp_path)])
    told = capsys.readouterr()
    assert status in (2, 3) and "Plan:" not in told.out
    assert "fault of the program" not in told.err and "fmbench-load: " in told.err
    assert list(tmp_path.iterdir()) == [config]
