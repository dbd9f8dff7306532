"""``fmbench-load prices`` prints what AWS publishes, and says where a price is from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fmbench.run.prices import command


def prices(*arguments: str) -> str:
    command = [sys.executable, "-m", "fmbench", "prices", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_model_in_two_regions() -> None:
    rows = json.loads(prices("amazon.nova-pro-v1:0", "nobody.knows", "--region", "us-east-1", "--json"))
    there = json.loads(prices("amazon.nova-pro-v1:0", "--region", "eu-west-2", "--json"))
    here, foreign = rows["models"]["amazon.nova-pro-v1:0"], there["models"]["amazon.nova-pro-v1:0"]
    assert (here["input"], here["output"], here["taken_from"]) == (0.8, 3.2, None)
    assert (foreign["region"], foreign["taken_from"]) == ("us-east-1", "us-east-1")
    assert rows["models"]["nobody.knows"] is None


def test_a_table_with_steps_and_a_configured_price(tmp_path: Path) -> None:
    file = tmp_path / "cfg.yml"
    file.write_text("models: [{id: m, label: mine}]\npricing: {mine: {input: 1.5, output: 2}}\nregion: us-east-1\n")
    assert "1.5" in prices("--config", str(file)) and "config" in prices("--config", str(file))
    lines = prices("us.anthropic.claude-haiku-5-5").splitlines()
    usual, above = (line.split() for line in lines[1:3])
    assert usual[2:7] == ["0.11", "0.55", "0.011", "0.1375", "0.22"]
    assert above[2:8] == ["100,000", "0.55", "2.75", "0.055", "0.6875", "1.1"]  # five times as much


@pytest.mark.parametrize("model", ["us.amazon.nova-lite-v1:0"])
def test_a_foreign_price_is_said_to_be_one(model: str) -> None:
    assert "taken from us-east-1" in prices(model.replace("us.", "eu."), "--region", "eu-west-2")
    assert "taken from" not in prices(model)


def test_routes_have_a_row_each(tmp_path: Path) -> None:
    file = tmp_path / "cfg.yml"
    routes = "[{service_tier: default}, {id: amazon.nova-pro-v1:0, region: eu-west-2, label: London}]"
    file.write_text(f"models: [{{id: amazon.nova-pro-v1:0, label: nova, routes: {routes}}}]\nregion: us-east-1\n")
    rows = json.loads(prices("--config", str(file), "--json"))["models"]
    assert rows.keys() == {"nova (default)", "nova (London)"}
    assert (rows["nova (default)"]["taken_from"], rows["nova (London)"]["taken_from"]) == (None, "us-east-1")


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("mars-1", "warning: region mars-1: boto3 knows no Bedrock there. See the regions"),
        ("us-east-11", "Did you mean us-east-1?"),
        ("us-gov-west-1", ""),
        ("us-east-1", ""),
    ],
)
def test_a_region_that_nobody_knows_is_questioned(region: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["amazon.nova-pro-v1:0"], region, None, False, True) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["region"] == region
    assert said in told.err and bool(said) == ("warning" in told.err)
