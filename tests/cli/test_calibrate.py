"""``fmbench-load calibrate``, and what a plan says about the machine's measure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fmbench.run.calibrate import FRESH_S, cache_file, held_against, kept, machine
from fmbench.run.options import Options

ROOT = Path(__file__).resolve().parents[2]
LEVEL = {"requests": 128, "ttft_error_p50_s": 0.0002, "ttft_error_p95_s": 0.001, "core_share": 0.2, "cpu_us_per_event": 40.0}


def call(caches: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fmbench", *arguments]
    environment = os.environ | {"XDG_CACHE_HOME": str(caches)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for caches, this process's own too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches"


def keep(users: int, cpus: int = 4, **other: Any) -> None:
    """Put a measure of this machine where the program keeps it."""
    measure = {"users_per_process": users, "max_ttft_error_s": 0.003, "max_core_share": 0.7, "tokens_per_s": 50}
    measure |= {"measured_at": time.time(), "cpus": cpus, "of": machine(), "levels": [LEVEL | {"users": 32}]}
    cache_file().parent.mkdir(parents=True)
    cache_file().write_text(json.dumps(measure | other))


def fit(users: int, **options: Any) -> str | None:
    found = held_against(Options(config="", **options), [1, users])
    return None if found is None else found.words()


@pytest.mark.slow
@pytest.mark.timing
def test_the_machine_is_measured_and_its_measure_kept(caches: Path) -> None:
    done = call(caches, "calibrate", "--json")
    assert done.returncode == 0, done.stderr
    measure = json.loads(done.stdout)
    levels = {level["users"]: level for level in measure["levels"]}
    for users, level in levels.items():
        late = level["ttft_error_p95_s"] if level["lateness_p95_s"] is None else level["lateness_p95_s"]
        good = late <= 0.003 and level["core_share"] <= 0.7
        assert good == (users <= measure["users_per_process"])
        assert level["requests"] >= 128
    assert measure["users_per_process"] in (0, *levels)
    assert kept() == (measure if measure["users_per_process"] else None)


def test_a_small_plan_is_not_held_up_by_it(caches: Path) -> None:
    assert fit(64) is None
    assert fit(4096, master=True) is None
    assert fit(128, processes=2) is None
    assert not caches.exists()


def test_a_plan_within_the_measure_and_one_beyond_it(caches: Path) -> None:
    keep(128)
    carries = "This machine carries about 128 users per load process at ≤ 3 ms TTFT error; the plan asks for"
    assert fit(100) == f"{carries} 100."
    assert fit(300) == f"{carries} 300: use --processes 3."
    assert fit(300, processes=3) == f"{carries} 100."
    assert "more machines" in str(fit(1000))


def test_what_the_manifest_keeps(caches: Path) -> None:
    keep(64)
    found = held_against(Options(config="", processes=2), [200])
    assert found is not None
    entry = found.entry()
    assert (entry["users_per_process"], entry["asked_per_process"], entry["processes"]) == (64, 100, 2)


@pytest.mark.parametrize("other", [{"measured_at": time.time() - FRESH_S - 60}, {"of": {"host": "another"}}])
def test_a_measure_that_is_old_or_of_another_machine_does_not_count(caches: Path, other: dict[str, Any]) -> None:
    keep(128, **other)
    assert kept() is None


def test_a_spoilt_file_does_not_count(caches: Path) -> None:
    keep(128)
    cache_file().write_text("{")
    assert kept() is None


def test_the_plan_says_what_the_machine_carries(caches: Path, tmp_path: Path) -> None:
    keep(64)
    config = tmp_path / "cfg.yml"
    config.write_text(
        "models: [{id: a.model-v1:0}]\nsimulator: {}\n"
        "dataset: {source: synthetic, buckets: ['100-300'], prompts_per_bucket: 4}\nload: {concurrency: [1, 100]}\n"
    )
    done = call(caches, "--config", str(config), "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "carries about 64 users per load process" in done.stderr
    assert "Calibrating" not in done.stderr
