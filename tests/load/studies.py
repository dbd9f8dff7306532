"""Small studies on real processes: a prepared run folder made by hand, Locust on it, and what came of it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from fmbench.config.load import resolved_yaml
from fmbench.config.schema import Config
from fmbench.core.plan import Plan, PromptFile, plan_cells
from fmbench.core.prices.book import PriceBook, prices_of
from fmbench.core.records import Prompt
from fmbench.prompts import payload
from fmbench.storage.journal import read_journal

BUCKET = "en_1-500"
MODELS = [{"id": "us.amazon.nova-lite-v1:0", "label": "lite"}, {"id": "us.amazon.nova-pro-v1:0", "label": "pro"}]
LOAD = {"concurrency": [1, 4, 2], "warmup_s": 0.3, "duration_s": 0.7, "min_requests": 0}
QUICK = {"profile": {"ttft_s": 0.03, "tpot_s": 0.004, "output_tokens": 10}}

PROGRAM = """
import sys, json; from pathlib import Path; from fmbench.load.launch import launch
print(launch(Path(sys.argv[1]), **json.loads(sys.argv[2])))
"""


def prepare(folder: Path, url: str | None, prompts: int = 7, load: dict[str, Any] | None = None, **config: Any) -> Path:
    """A prepared run folder called ``folder``."""
    values = {"models": MODELS, "inference": {"max_tokens": 10}, "load": LOAD | (load or {})} | config
    checked = Config.model_validate(values)
    (folder / "prompts").mkdir(parents=True)
    common: dict[str, Any] = {"tokens": 6, "dataset": "counting", "language": "en"}
    rows = [Prompt(prompt_id=f"p{n}", text=f"Say the number {n}.", **common) for n in range(prompts)]
    digest = payload.write(folder / "prompts" / payload.file_name(BUCKET), rows)
    file = PromptFile(bucket=BUCKET, file=f"prompts/{payload.file_name(BUCKET)}", sha256=digest, count=prompts)
    endpoint = None if url is None else {"url": url, "ca_bundle": None}
    known = prices_of(checked, PriceBook(checked.pricing, checked.region))
    prices = {name: None if price is None else price.to_dict() for name, price in known.items()}
    cells = plan_cells(checked, "numbers", [BUCKET])
    plan = Plan(run_id=folder.name, cells=cells, prompts=[file], endpoint=endpoint, prices=prices)
    (folder / "plan.json").write_text(plan.to_json())
    (folder / "config.yml").write_text(resolved_yaml(checked))
    return folder


JOIN = """
import sys; from pathlib import Path; from fmbench.load.launch import join
sys.exit(join("127.0.0.1", int(sys.argv[1]), Path(sys.argv[2])))
"""


class Joined:
    """A worker that finds its master by itself, as on another machine."""

    def __init__(self, scratch: Path, port: int, secret: str | None = None) -> None:
        variables = {name: value for name, value in os.environ.items() if not name.startswith("FMBENCH_")}
        command = [sys.executable, "-c", JOIN, str(port), str(scratch)]
        self.process = subprocess.Popen(
            command, stderr=subprocess.DEVNULL, env=variables | ({"FMBENCH_SECRET": secret} if secret else {})
        )

    def kill(self) -> None:
        """SIGKILL, to all of it."""
        for pid in [*children_of(self.process.pid, deep=True), self.process.pid]:
            end_process(pid)
        self.process.wait()


class Load:
    """Locust at work on a prepared folder, as the command line starts it."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        command = [sys.executable, "-c", PROGRAM, str(folder), json.dumps(options)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder.parent)
        self.said = ""

    def end(self, within_s: float = 180) -> str:
        """Wait for the end; returns the ``ended`` word, or what went wrong."""
        try:
            out, self.said = self.process.communicate(timeout=within_s)
        finally:
            self.kill()
        return out.strip() or self.said

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """Make sure that nothing is left running."""
        if self.process.poll() is None:
            for pid in [*children_of(self.process.pid, deep=True), self.process.pid]:
                end_process(pid)
            self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


def run(folder: Path, **options: Any) -> str:
    """Run a study to its end."""
    return Load(folder, **options).end()


def end_process(pid: int) -> None:
    """SIGKILL, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def children_of(pid: int, deep: bool = False) -> list[int]:
    """The processes that ``pid`` started and that live."""
    try:
        found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return found + [grandchild for child in found if deep for grandchild in children_of(child, deep=True)]


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(ready: Callable[[], Any], within_s: float = 30) -> Any:
    """Wait for a condition, and return what it gave."""
    deadline = time.monotonic() + within_s
    while not (found := ready()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def entries(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Rows of one kind from every journal of a run."""
    paths = sorted((folder / "journal").glob("*.jsonl"))
    return [row for path in paths for found, row in read_journal(path) if found == kind]


def cells(folder: Path) -> list[dict[str, Any]]:
    path = folder / "cells.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def load_json(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "load.json").read_text()))


def locust_counts(folder: Path) -> tuple[Counter[str], Counter[str]]:
    """Locust's requests and failures by name."""
    with (folder / "locust" / "stats.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Name"] != "Aggregated"]
    return (
        Counter({row["Name"]: int(row["Request Count"]) for row in rows}),
        Counter({row["Name"]: int(row["Failure Count"]) for row in rows if int(row["Failure Count"])}),
    )


def name_of(row: dict[str, Any]) -> str:
    return f"{row['model']}|{row['bucket']}|{row['concurrency']}|{row['phase']}"


def identity(row: dict[str, Any]) -> tuple[str, str, int, int]:
    return row["run_id"], row["worker"], row["user"], row["seq"]
