"""Hidden quotas, found by whole runs: ``python -m benchmarks.quota.through_load [--seeds 20] [--at-once 8] [--minute-s 10]``.

Each search is a run of its own, ``load.search: {of: quota}`` through the real load engine against the embedded endpoint, whose
minute lasts ``--minute-s`` seconds. Right is what ``benchmarks.quota`` calls right; the time is that of the run, in such minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

KINDS = [
    {"window": "rolling", "reserves_max_tokens": True, "burndown": 5.0},
    {"window": "clock", "reserves_max_tokens": True, "burndown": 1.0},
    {"window": "bucket", "reserves_max_tokens": False, "burndown": 5.0},
]
MODEL = "us.amazon.nova-lite-v1:0"
MINUTES = 15


@dataclass(frozen=True, slots=True)
class Trial:
    """One run: the hidden quota, what was found (None: the run failed), and how many minutes of the quota it took."""

    quota: dict[str, Any]
    found: dict[str, Any] | None
    minutes: float

    def wrong(self) -> list[str]:
        """What was not found right."""
        if self.found is None:
            return ["run"]
        pairs = {"requests_per_min": "requests_per_minute", "tokens_per_min": "tokens_per_minute"}
        bad = [name for name, truth in pairs.items() if not _near(self.found[name], self.quota[truth])]
        bad += [name for name in ("reserves_max_tokens", "burndown") if self.found[name] != self.quota[name]]
        bad += [] if self.found["window"] == ("clock" if self.quota["window"] == "clock" else "rolling") else ["window"]
        return bad + ([] if self.minutes <= MINUTES else ["time"])


def _near(found: dict[str, Any] | None, truth: int) -> bool:
    return found is not None and abs(found["per_minute"] - truth) <= 0.05 * truth


def hidden(seed: int, kind: dict[str, Any], minute_s: float) -> dict[str, Any]:
    """A quota of a kind, its sizes drawn: as many requests as a scaled minute has time for."""
    random = Random(f"{seed}/{kind}")
    requests = round(20 * (300 / 20) ** random.random())
    return {
        **kind,
        "requests_per_minute": requests,
        "tokens_per_minute": requests * random.randint(400, 4000),
        "minute_s": minute_s,
    }


def attempt(seed: int, kind: dict[str, Any], minute_s: float) -> Trial:
    """One run against one hidden quota."""
    quota = hidden(seed, kind, minute_s)
    with tempfile.TemporaryDirectory() as folder:
        profile = {"ttft_s": 0.4, "tpot_s": 0.001, "jitter": 0.2, "output_tokens": 10, "quota": quota}
        config = {
            "models": [{"id": MODEL}],
            "region": "us-east-1",
            "output": folder,
            "inference": {"max_tokens": 4000},
            "dataset": {"buckets": ["1-500"], "prompts_per_bucket": 2},
            "load": {"search": {"of": "quota", "minute_s": minute_s}},
            "simulator": {"profile": profile, "seed": seed},
        }
        file = Path(folder, "cfg.yml")
        file.write_text(yaml.safe_dump(config))
        command = [sys.executable, "-m", "fmbench", str(file), "--yes", "--quiet"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60 * minute_s)
        lines = ended.stdout.splitlines()
        if ended.returncode or not lines:
            print(ended.stderr[-2000:], file=sys.stderr)
            return Trial(quota, None, 0.0)
        summary = json.loads(Path(lines[-1], "summary.json").read_text())
        cells = [json.loads(line) for line in Path(lines[-1], "cells.jsonl").read_text().splitlines()]
    took = cells[-1]["ended_at"] - cells[0]["started_at"]
    return Trial(quota, summary["search"][0]["quota"], took / minute_s)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--minute-s", type=float, default=10.0)
    given = parser.parse_args()
    print("| window | reserved | burndown | all right | minutes, most | wrong |")
    print("|---|---|--:|--:|--:|---|")
    with ThreadPoolExecutor(given.at_once) as pool:
        for kind in KINDS:
            trials = list(pool.map(lambda seed, kind=kind: attempt(seed, kind, given.minute_s), range(given.seeds)))  # type: ignore[misc]
            right = sum(not trial.wrong() for trial in trials)
            wrong = ", ".join(f"{trial.wrong()}: {trial.quota} {trial.found}" for trial in trials if trial.wrong())
            reserved = "yes" if kind["reserves_max_tokens"] else "no"
            most = max(trial.minutes for trial in trials)
            print(
                f"| {kind['window']} | {reserved} | {kind['burndown']:g} | {right}/{given.seeds} | {most:.1f} | {wrong} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
