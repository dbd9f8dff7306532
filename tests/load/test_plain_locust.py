"""Plain Locust runs the same users and steps, and says what it lacks."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.load.studies import entries, load_json, locust_counts

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LOCUSTFILE = ROOT / "locustfiles" / "bedrock.py"
CONFIG = """
models: [{id: us.amazon.nova-lite-v1:0, label: lite}]
inference: {max_tokens: 8}
dataset: {source: synthetic, buckets: ["1-500"], prompts_per_bucket: 3}
load: {concurrency: [2], warmup_s: 0.2, duration_s: 0.5, min_requests: 0}
simulator: {profile: {ttft_s: 0.02, tpot_s: 0.002}}
"""


def locust(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_without_a_configuration_it_says_which_option_is_missing(tmp_path: Path) -> None:
    ended = locust(tmp_path, "--headless")
    assert ended.returncode == 2
    assert "--fmbench-config" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_configuration_that_cannot_be_used_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "cfg.yml").write_text("models: []\n")
    ended = locust(tmp_path, "--headless", "-u", "0", "--fmbench-config", "cfg.yml")
    assert ended.returncode == 2
    assert "models" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_with_a_configuration_it_prepares_and_runs_the_study(tmp_path: Path) -> None:
    (tmp_path / "cfg.yml").write_text(CONFIG)
    ended = locust(tmp_path, "--headless", "-u", "0", "--fmbench-config", "cfg.yml")
    assert ended.returncode == 0, ended.stderr
    (folder,) = (tmp_path / "results").iterdir()
    assert load_json(folder)["ended"] == "done"
    records = entries(folder, "record")
    assert len(records) > 4 and {row["outcome"] for row in records} == {"ok"}
    assert locust_counts(folder)[0].total() == len(records)


def test_it_does_not_read_what_lies_about(tmp_path: Path) -> None:
    """fmbench-load starts Locust by ``python -m fmbench.load``: a stranger's locust.conf has no say in it."""
    (tmp_path / "locust.conf").write_text("headless = true\nusers = 77\nrun-time = 1s\nno-such-thing = 1\n")
    command = [sys.executable, "-m", "fmbench.load", "-f", str(LOCUSTFILE), "--headless", "-u", "0"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "--fmbench-config" in ended.stderr and "no-such-thing" not in ended.stderr


RATES = """
models: [{id: us.amazon.nova-lite-v1:0, label: lite}]
inference: {max_tokens: 8}
dataset: {source: synthetic, buckets: ["1-500"], prompts_per_bucket: 3}
load: {rate_per_min: [600, 1200], arrivals: constant, warmup_s: 0.5, duration_s: 2, min_requests: 0}
simulator: {profile: {ttft_s: 0.02, tpot_s: 0.002}}
"""


@pytest.mark.parametrize("further", [(), ("--processes", "2")])
def test_plain_locust_keeps_a_rate(tmp_path: Path, further: tuple[str, ...]) -> None:
    (tmp_path / "cfg.yml").write_text(RATES)
    ended = locust(tmp_path, "--headless", "-u", "0", "--fmbench-config", "cfg.yml", *further)
    assert ended.returncode == 0, ended.stderr
    (folder,) = (tmp_path / "results").iterdir()
    records = entries(folder, "record")
    assert {row["rate_per_min"] for row in records} == {600.0, 1200.0}
    for rate in (600.0, 1200.0):
        meant = sorted(row["intended_at"] for row in records if row["rate_per_min"] == rate)
        assert [later - earlier for earlier, later in pairwise(meant)] == pytest.approx([60 / rate] * (len(meant) - 1), abs=5e-4)
        assert len(meant) >= rate / 60 * 2
    sent = [row for row in records if row["outcome"] != "dropped"]
    assert locust_counts(folder)[0].total() == len(sent)


CHANGING = """
models: [{id: us.amazon.nova-lite-v1:0, label: lite}]
inference: {max_tokens: 8}
dataset: {source: synthetic, buckets: ["1-500"], prompts_per_bucket: 3}
"""
RAMP = """
load:
  rate_per_min: {from: 0, to: 1200, over_s: 3}
  arrivals: constant
  warmup_s: 0
  min_requests: 0
  retry: {attempts: 4, base_s: 0.02, on: [throttled]}
simulator: {profile: {ttft_s: 0.02, tpot_s: 0.002, faults: [{kind: throttle_requests, rate: 0.4}]}}
"""
PROFILE = """
load: {rate_per_min: {profile: [600, 0, 1200], over_s: 3}, arrivals: constant, max_in_flight: 1, warmup_s: 0, min_requests: 0}
simulator: {profile: {ttft_s: 0.12, tpot_s: 0.0, output_tokens: 1}}
"""


def carried(folder: Path, config: str) -> tuple[Path, list[dict[str, Any]]]:
    """A whole study under plain Locust, and its rows in the order of the plan."""
    (folder / "cfg.yml").write_text(CHANGING + config)
    ended = locust(folder, "--headless", "-u", "0", "--fmbench-config", "cfg.yml")
    assert ended.returncode == 0, ended.stderr
    (run,) = (folder / "results").iterdir()
    return run, sorted(entries(run, "record"), key=lambda row: row["intended_at"])


def test_plain_locust_climbs_a_ramp_and_tries_again(tmp_path: Path) -> None:
    """From 0 to 20 a second over 3 s: after t seconds 10 t^2 / 3 are due."""
    run, records = carried(tmp_path, RAMP)
    firsts = [row["intended_at"] for row in records if row["attempt"] == 1]
    expected = [(0.3 * (number + 0.5)) ** 0.5 for number in range(30)]
    assert len(firsts) == 30
    assert [at - firsts[0] for at in firsts] == pytest.approx([at - expected[0] for at in expected], abs=5e-4)
    again = [row for row in records if row["attempt"] > 1]
    assert again and all(row["backoff_s"] is not None for row in again)
    assert locust_counts(run)[0].total() == len(records)


def test_plain_locust_goes_through_a_profile_and_says_what_it_dropped(tmp_path: Path) -> None:
    """10 in the first second, none in the next, 20 in the third; answers of 0.12 s one at a time let every other one wait."""
    run, records = carried(tmp_path, PROFILE)
    begun = records[0]["intended_at"] - 0.05
    assert Counter(int(row["intended_at"] - begun) for row in records) == {0: 10, 2: 20}
    dropped = [row for row in records if row["outcome"] == "dropped"]
    assert 10 <= len(dropped) <= 25 and all(row["sent_at"] is None for row in dropped)
    assert locust_counts(run)[0].total() == len(records) - len(dropped)
    assert load_json(run)["workers"][0]["dropped"] == len(dropped)
