"""``fmbench-load`` as its users start it: a process of its own, with its streams, its exit status and its run folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import yaml

ROOT = Path(__file__).resolve().parents[2]
PRICES = {"us.amazon.nova-lite-v1:0": (60, 240), "us.meta.llama3-3-70b-instruct-v1:0": (720, 720)}
"""USD for 1,000 million tokens, input and output: what the configuration below says, as whole numbers."""


def small_config(**sections: Any) -> dict[str, Any]:
    """Two models, one bucket, two levels, about a second each."""
    return {
        "name": "small",
        "models": [
            {"id": "us.amazon.nova-lite-v1:0", "label": "nova"},
            {"id": "us.meta.llama3-3-70b-instruct-v1:0", "label": "llama"},
        ],
        "region": "us-east-1",
        "inference": {"max_tokens": 12},
        "dataset": {"buckets": ["100-300"], "prompts_per_bucket": 6},
        "load": {"concurrency": [2, 5], "warmup_s": 0.3, "duration_s": 1, "min_requests": 0},
        "pricing": {name: {"input": prices[0] / 1000, "output": prices[1] / 1000} for name, prices in PRICES.items()},
    } | sections


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that is over."""

    status: int
    stdout: str
    stderr: str

    @property
    def address(self) -> str:
        """The last line on stdout."""
        return self.stdout.splitlines()[-1]

    @property
    def run(self) -> Path:
        return Path(self.address)

    def records(self) -> pd.DataFrame:
        return pd.read_parquet(self.run / "records")

    def json(self, name: str) -> Any:
        return json.loads((self.run / name).read_text())

    @property
    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = self.json("manifest.json")
        return manifest


class Command:
    """A command that runs."""

    def __init__(self, arguments: list[str], variables: dict[str, str]) -> None:
        command = [sys.executable, "-m", "fmbench", *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self, within_s: float = 300) -> Ended:
        """Wait for its end."""
        try:
            stdout, stderr = self.process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            stdout, stderr = self.process.communicate()
            raise AssertionError(f"still running after {within_s} s: {stdout}\n{stderr}") from None
        return Ended(self.process.returncode, stdout, stderr)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a test starts commands from: a folder for its files, and the variables that all of them get."""

    folder: Path
    variables: dict[str, str]

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def write(self, config: dict[str, Any]) -> str:
        path = self.folder / "cfg.yml"
        path.write_text(yaml.safe_dump(config))
        return str(path)

    def start(self, *arguments: str, **variables: str) -> Command:
        return Command(list(arguments), self.variables | variables)

    def start_run(self, config: dict[str, Any], *arguments: str, **variables: str) -> Command:
        return self.start("--config", self.write(config), "--output", str(self.results), *arguments, **variables)

    def call(self, *arguments: str, **variables: str) -> Ended:
        return self.start(*arguments, **variables).ended()

    def run(self, config: dict[str, Any], *arguments: str, **variables: str) -> Ended:
        return self.start_run(config, *arguments, **variables).ended()


def wait_until(condition: Callable[[], Any], within_s: float = 60) -> Any:
    """The first true value of ``condition``."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def load_processes(pid: int) -> list[int]:
    """The load processes below the command ``pid``, in the order of their start. Each has a witness below it, which is none."""
    processes = [child for child in psutil.Process(pid).children(recursive=True) if not _is_witness(child)]
    parents = {child.ppid() for child in processes}
    return sorted(child.pid for child in processes if child.pid not in parents)


def _is_witness(process: psutil.Process) -> bool:
    return any(word.endswith("witness.py") for word in process.cmdline())
