"""Malformed configurations, ``--set`` values and datasets through the command's own ``main``: one message, nothing sent."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fmbench import cli
from fmbench.config.load import LoadedConfig
from fmbench.config.shipped import folder as shipped_folder
from fmbench.run import study
from fmbench.run.options import Options
from tests.fuzz.mutation import ODD_VALUES, Mutator

MOST_S = 2.0
HANGS_S = 60.0
WHOLE: dict[str, Any] = {
    "name": "nova-or-haiku",
    "region": "us-east-1",
    "seed": 7,
    "models": [
        {"id": "us.amazon.nova-lite-v1:0", "label": "nova-lite"},
        {"id": "us.anthropic.claude-haiku-4-5-20251001-v1:0", "api": "converse-stream", "inference": {"max_tokens": 64}},
    ],
    "inference": {"max_tokens": 12, "temperature": 0.0, "top_p": 0.5, "stop_sequences": ["x"]},
    "dataset": {"source": "synthetic", "buckets": ["100-300"], "prompts_per_bucket": 2, "languages": ["en"]},
    "load": {"concurrency": [1, 2], "warmup_s": 0, "duration_s": 1, "min_requests": 1, "retry": {"attempts": 2}},
    "objectives": {"ttft_p95_s": 1.5, "error_rate": 0.01, "usd_per_10k": 50, "prefer": "cost"},
    "budget": {"max_usd": 5.0, "max_requests": 20000},
    "pricing": {"us.amazon.nova-lite-v1:0": {"input": 0.06, "output": 0.24}},
    "simulator": {"profile": {"ttft_s": 0.01}},
}
PATHS = (
    "name",
    "seed",
    "models",
    "models[0].id",
    "load.concurrency",
    "load.duration_s",
    "objectives.ttft_p95_s",
    "budget.max_usd",
)
PATHS += (
    "dataset.buckets",
    "dataset.path",
    "inference.max_tokens",
    "pricing",
    "simulator.profile.ttft_s",
    "region",
    "output",
    "x.y",
)
PATHS += (
    "",
    ".",
    "a..b",
    "models[9].id",
    "models[-1].id",
    "models.0.id",
    "load[0]",
    "\ud83d".encode("utf-8", "replace").decode(),
    "=",
)


class Fault(AssertionError):
    """What the command must not do."""


@dataclass
class Tried:
    """What came of a number of malformed inputs."""

    statuses: dict[int, int] = field(default_factory=dict)
    slowest_s: float = 0.0


class Commands:
    """Runs the command in this process. ``folder`` is its working folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tried = folder, Tried()
        self._seeds = [WHOLE, *(yaml.safe_load(path.read_text()) for path in sorted(shipped_folder().glob("*.yml")))]

    def configuration(self, mutator: Mutator) -> list[str]:
        """The command's arguments for a malformed configuration, with malformed ``--set`` values."""
        chance = mutator.random
        value = mutator.json(chance.choice(self._seeds))
        data = json.dumps(value).encode()
        if chance.random() < 0.9:
            with contextlib.suppress(Exception):  # what no writer of YAML takes stays JSON
                data = yaml.safe_dump(value, allow_unicode=True).encode()
        if chance.random() < 0.4:
            data = mutator.bytes(data)
        path = self.folder / "cfg.yml"
        path.write_bytes(data)
        arguments = ["--config", str(path), "--output", str(self.folder / "results")]
        for _ in range(chance.choice((0, 0, 1, 2))):
            arguments += ["--set", self._setting(mutator)]
        return arguments

    def _setting(self, mutator: Mutator) -> str:
        chance = mutator.random
        odd = chance.choice(ODD_VALUES)
        value = odd if isinstance(odd, str) and chance.random() < 0.5 else json.dumps(odd)
        text = f"{chance.choice(PATHS)}{'=' if chance.random() < 0.95 else ''}{value}".encode("utf-8", "replace")
        data = mutator.bytes(text) if chance.random() < 0.3 else text
        return data.replace(b"\0", b"").decode("utf-8", "surrogateescape")[:20000]

    def dataset(self, mutator: Mutator) -> list[str]:
        """The command's arguments for a malformed dataset."""
        chance = mutator.random
        row = {"input": "Why? " * 60, "context": "Because. " * 20, "answers": ["x"], "_id": 5, "language": "en", "dataset": "a"}
        lines = [mutator.json(row) if chance.random() < 0.5 else row for _ in range(4)]
        data = b"\n".join(json.dumps(line).encode() for line in lines) + b"\n"
        data = mutator.bytes(data) if chance.random() < 0.5 else data
        path = (
            self.folder / f"rows{chance.choice(('.jsonl', '.jsonl', '.ndjson', '.json', '.csv', '.zip', '.parquet', '.txt', ''))}"
        )
        if path.suffix == ".zip":
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
                archive.writestr(chance.choice(("a.jsonl", "../a.jsonl", "/a.jsonl", "a\u202e.jsonl")), data)
            data = mutator.bytes(buffer.getvalue()) if chance.random() < 0.7 else buffer.getvalue()
        path.write_bytes(data)
        (self.folder / "cfg.yml").write_text(
            yaml.safe_dump(WHOLE | {"dataset": WHOLE["dataset"] | {"source": "jsonl", "path": str(path)}})
        )
        return ["--config", str(self.folder / "cfg.yml"), "--dry-run"]

    def run(self, arguments: list[str], most_s: float = MOST_S) -> int:
        """The status. Raises ``Fault`` for a fault of the program, more than one traceback, or slowness."""
        out, err = io.StringIO(), io.StringIO()
        began, began_cpu = time.perf_counter(), time.process_time()
        with _caught() as faults, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = int(cli.main(arguments))
            except SystemExit as end:
                status = int(end.code or 0)
        took, took_cpu = time.perf_counter() - began, time.process_time() - began_cpu
        self.tried.slowest_s = max(self.tried.slowest_s, took)
        self.tried.statuses[status] = self.tried.statuses.get(status, 0) + 1
        said = err.getvalue()
        if faults:
            raise Fault(f"{type(faults[0]).__name__}") from faults[0]
        if status not in (0, 2, 3) or "Traceback" in said:
            raise Fault(f"status {status}: {said[:300]}")
        if status and not said.strip():
            raise Fault(f"status {status} without a word")
        if took_cpu > most_s or took > HANGS_S:  # other programs take this one's time, not its CPU
            raise Fault(f"took {took_cpu:.1f} s of CPU, {took:.1f} s in all")
        return status


@contextlib.contextmanager
def _caught() -> Iterator[list[BaseException]]:
    """Faults of the program that ``main`` met, instead of files with tracebacks; a sound configuration is only checked."""
    from fmbench.run import traceback_file

    faults: list[BaseException] = []
    write, run = traceback_file.write_traceback, study.run_study

    def note(error: BaseException, folder: Path | None = None) -> Path:
        faults.append(error)
        return Path("/dev/null")

    def only_check(options: Options, loaded: LoadedConfig) -> int:
        if options.dry_run:
            return run(options, loaded)
        study.check_budget(loaded.config, study.price_book(loaded.config, False))
        study.check_target(loaded.config)
        study.check_requests(loaded)
        return 0

    traceback_file.write_traceback, study.run_study = note, only_check
    try:
        yield faults
    finally:
        traceback_file.write_traceback, study.run_study = write, run


def in_a_process(arguments: list[str], endpoint: str, within_s: float = 60) -> tuple[int, str, float]:
    """(status, what it said, seconds) of the real command, which would ask ``endpoint``."""
    command = [sys.executable, "-m", "fmbench", *arguments]
    variables = os.environ | {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": endpoint}
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, env=variables, stdin=subprocess.DEVNULL, timeout=within_s, check=False)
    return done.returncode, done.stderr.decode("utf-8", "replace"), time.perf_counter() - began
