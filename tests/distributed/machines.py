"""A master and workers that meet on loopback and share nothing but an S3 server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from tests.support.emulators import free_port, objects

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that is over."""

    status: int
    stdout: str
    stderr: str


class Machine:
    """A process with a folder for temporary files that is its own."""

    def __init__(self, folder: Path, arguments: list[str], variables: dict[str, str]) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fmbench", *arguments],
            cwd=ROOT,
            env=os.environ | variables | {"TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self, within_s: float = 240) -> Ended:
        """Wait for its end."""
        try:
            stdout, stderr = self.process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            stdout, stderr = self.process.communicate()
            raise AssertionError(f"still running after {within_s} s: {stdout}\n{stderr}") from None
        return Ended(self.process.returncode, stdout, stderr)

    def locust(self) -> int:
        """The process that Locust runs in."""
        return below(self.process.pid)[0]

    def kill(self) -> None:
        """The machine is switched off: nothing on it comes to a last word."""
        for pid in [*below(self.process.pid), self.process.pid]:
            if self.process.poll() is None:
                os.kill(pid, signal.SIGKILL)

    def left(self) -> list[str]:
        """Files of the run that stayed on this machine."""
        return sorted(path.name for path in self.folder.rglob("*.jsonl"))


def below(pid: int) -> list[int]:
    """Processes that ``pid`` started, and theirs."""
    try:
        found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return found + [deeper for child in found for deeper in below(child)]


class Machines:
    """A master and its workers."""

    def __init__(self, folder: Path, s3: str, endpoint: str) -> None:
        self.folder, self.s3 = folder, s3
        self.port = str(free_port())
        self.variables = {
            "AWS_ENDPOINT_URL_S3": s3,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": endpoint,
            "AWS_REGION": "us-east-1",
        }
        self.all: list[Machine] = []

    @property
    def output(self) -> str:
        return f"s3://bucket/{self.folder.name}"

    def master(self, study: dict[str, Any], workers: int, *arguments: str) -> Machine:
        self.write(study)
        where = ["--master", "--expect-workers", str(workers), "--master-host", "127.0.0.1", "--master-port", self.port]
        return self._start(["--yes", *where, *arguments])

    def write(self, study: dict[str, Any]) -> None:
        """The configuration that all of them are given."""
        (self.folder / "cfg.yml").write_text(yaml.safe_dump({"output": self.output} | study))

    def workers(self, count: int, *arguments: str) -> list[Machine]:
        where = ["--worker", "--master-host", "127.0.0.1", "--master-port", self.port]
        return [self._start([*where, *arguments]) for _ in range(count)]

    def call(self, *arguments: str) -> Ended:
        """Another command, such as report."""
        machine = Machine(self.folder / f"machine-{len(self.all)}", list(arguments), self.variables)
        self.all.append(machine)
        return machine.ended()

    def _start(self, arguments: list[str]) -> Machine:
        name = f"machine-{len(self.all)}"
        self.all.append(Machine(self.folder / name, ["--config", str(self.folder / "cfg.yml"), *arguments], self.variables))
        return self.all[-1]

    def end_all(self) -> None:
        for machine in self.all:
            machine.kill()
            machine.process.communicate()

    def stored(self) -> Stored:
        """The only run that there is in the store."""
        found = objects(self.s3, "bucket", f"{self.folder.name}/")
        (run_id,) = {name.partition("/")[0] for name in found}
        return Stored(run_id, {name.partition("/")[2]: data for name, data in found.items()})


@dataclass(frozen=True, slots=True)
class Stored:
    """A run as a plain S3 client finds it."""

    run_id: str
    files: dict[str, bytes]

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads(self.files["manifest.json"]))

    @property
    def accounting(self) -> dict[str, int]:
        return dict(self.manifest["accounting"])

    def records(self) -> pd.DataFrame:
        parts = [pd.read_parquet(BytesIO(data)) for name, data in sorted(self.files.items()) if name.startswith("records/")]
        return pd.concat([part for part in parts if len(part)], ignore_index=True)

    def cells(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files["cells.jsonl"].splitlines()]

    def journals(self) -> list[str]:
        return [name for name in self.files if name.startswith("journal/")]

    def locust(self) -> dict[str, int]:
        """Locust's count by request name."""
        rows = pd.read_csv(BytesIO(self.files["locust/stats.csv"]))
        return {row["Name"]: int(row["Request Count"]) for _, row in rows.iterrows() if row["Name"] != "Aggregated"}
