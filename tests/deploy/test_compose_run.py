"""``docker/compose.yml`` as its first lines say to start it: the run ends with 0, and its report is on the S3 server."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.deploy.containers import TAG, Container, docker, get
from tests.support.emulators import objects

pytestmark = [pytest.mark.containers, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.usefixtures("images")]

ROOT = Path(__file__).resolve().parents[2]
FETCHED = ROOT / "build/docker-compose"
PLUGIN = ["docker", "compose"]


@dataclass(slots=True)
class Project:
    """The file under a project name of its own."""

    compose: list[str]
    name: str = field(default_factory=lambda: f"fmbench-test-{secrets.token_hex(3)}")

    def call(self, *arguments: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        command = [*self.compose, "--project-name", self.name, "--file", str(ROOT / "docker/compose.yml"), *arguments]
        variables = os.environ | {"TAG": TAG, "WORKERS": "3"}
        return subprocess.run(
            command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False
        )

    def url(self, service: str, port: int) -> str:
        container = docker("ps", "--quiet", "--filter", f"name={self.name}-{service}-1")
        return f"http://{Container(container).address()}:{port}"


@pytest.fixture
def project() -> Iterator[Project]:
    plugin = subprocess.run([*PLUGIN, "version"], capture_output=True, timeout=30, check=False).returncode == 0
    if not plugin and not FETCHED.exists():
        pytest.skip("no Docker Compose here, and .ci/containers could not fetch one")
    made = Project(PLUGIN if plugin else [str(FETCHED)])
    try:
        yield made
    finally:
        made.call("down", "--volumes", "--timeout", "10")


def test_one_command_shows_a_run_over_three_workers(project: Project):
    ended = project.call("run", "--rm", "--use-aliases", "master")
    assert ended.returncode == 0, ended.stderr
    address = ended.stdout.splitlines()[-1]
    run_id = address.removeprefix("s3://fmbench/results/")
    files = objects(project.url("store", 4566), "fmbench", f"results/{run_id}/")
    accounting, workers = (json.loads(files["manifest.json"])[key] for key in ("accounting", "workers"))
    seen = json.loads(get(f"{project.url('simulator', 8080)}/_simulator/counts"))["requests"]
    assert accounting["sent"] == accounting["ok"] == seen > 0
    assert [worker["sent"] > 0 for worker in workers] == [True] * 3
    report = project.call("run", "--rm", "report", timeout_s=60)
    assert (report.returncode, report.stdout.encode().strip()) == (0, files["report.md"].strip()), report.stderr
