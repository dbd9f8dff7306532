"""Containers on a private network of their own: simulator, S3 server, master, workers. The test looks in through the bridge."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config

from tests.distributed.machines import Stored
from tests.support.emulators import objects

TAG = "test"
BUCKET = "fmbench"
LOCKED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
"""As in docker/compose.yml, but for the limit on open files, which an engine inside a container may not raise."""
SIMULATOR = {"profile": {"ttft_s": 0.3, "tpot_s": 0.02, "output_tokens": 12}}
ANSWER_S = 0.5
"""No answer of it takes less."""
STUDY = {
    "name": "containers",
    "region": "us-east-1",
    "output": f"s3://{BUCKET}/results",
    "models": [{"id": "us.amazon.nova-lite-v1:0", "label": "nova"}],
    "inference": {"max_tokens": 12},
    "dataset": {"buckets": ["100-300"], "prompts_per_bucket": 12},
}


def docker(*arguments: str, timeout_s: float = 120) -> str:
    """What a docker command prints. Raises ``AssertionError`` with its message."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class Container:
    """A container by its name."""

    name: str

    def status(self, within_s: float = 240) -> int:
        """Its exit status, once it has ended."""
        return int(docker("wait", self.name, timeout_s=within_s))

    def running(self) -> bool:
        return docker("inspect", "--format", "{{.State.Running}}", self.name) == "true"

    def said(self) -> str:
        """Its two streams."""
        done = subprocess.run(["docker", "logs", self.name], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout + done.stderr

    def address(self) -> str:
        return docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", self.name)

    def signal(self, name: str) -> None:
        docker("kill", "--signal", name, self.name)


class Site:
    """The private network, its simulator and its S3 server. Runs follow each other on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"fmbench-test-{secrets.token_hex(3)}"
        self.containers: list[Container] = []

    def open(self) -> None:
        """Start what all runs need."""
        docker("network", "create", "--internal", self.name)
        self.write("simulator.yml", {"models": STUDY["models"], "simulator": SIMULATOR})
        serve = ["simulate", "--host", "0.0.0.0", "--port", "8080", "--config", "/config/simulator.yml"]
        self.simulator = self.start("simulator", "fmbench-load", *serve)
        self.store = self.start("store", "fmbench-load-store")
        self.s3 = f"http://{self.store.address()}:4566"
        wait_until(lambda: answers(f"{self.ledger_url}/counts") and answers(self.s3))
        client = boto3.client("s3", endpoint_url=self.s3, region_name="us-east-1", config=Config(proxies={}))
        client.create_bucket(Bucket=BUCKET)

    @property
    def ledger_url(self) -> str:
        return f"http://{self.simulator.address()}:8080/_simulator"

    def write(self, name: str, value: dict[str, Any]) -> None:
        (self.folder / name).write_text(yaml.safe_dump(value))
        (self.folder / name).chmod(0o644)

    def start(self, role: str, image: str, *arguments: str, number: int | None = None) -> Container:
        """A container that the others reach as ``role``."""
        container = Container(f"{self.name}-{len(self.containers)}-{role}")
        network = ["--network", self.name] + (["--network-alias", role] if number is None else [])
        variables = {
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://simulator:8080",
            "AWS_ENDPOINT_URL_S3": "http://store:4566",
        }
        settings = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
        mount = ["--volume", f"{self.folder}:/config:ro"]
        name = ["--name", container.name, "--hostname", f"{role}{number or ''}"]
        docker("run", "--detach", *name, *network, *LOCKED, *settings, *mount, f"{image}:{TAG}", *arguments)
        self.containers.append(container)
        return container

    def counts(self) -> dict[str, Any]:
        return dict(json.loads(get(f"{self.ledger_url}/counts")))

    def ledger(self, since: int = 0) -> list[dict[str, Any]]:
        """What the endpoint truly saw, once nothing is in flight."""
        wait_until(lambda: self.counts()["in_flight"] == 0)
        return [json.loads(line) for line in get(f"{self.ledger_url}/ledger?since={since}").splitlines()]

    def remove(self) -> None:
        """Nothing of it stays."""
        for container in self.containers:
            subprocess.run(["docker", "rm", "--force", "--volumes", container.name], capture_output=True, check=False)
        subprocess.run(["docker", "network", "rm", self.name], capture_output=True, check=False)


class Run:
    """A master and its workers at a site."""

    def __init__(self, site: Site, workers: int, **load: Any) -> None:
        self.site = site
        self.since: int = site.counts()["requests"]
        self.prefix = f"results/{secrets.token_hex(3)}"
        config = f"{secrets.token_hex(3)}.yml"
        load = {"warmup_s": 1, "min_requests": 0, **load}
        self.first_cell = load["concurrency"][0] * (load["duration_s"] + 2) / ANSWER_S
        """The most requests that it brings: warm-up, window and what is in flight at its end."""
        site.write(config, STUDY | {"load": load, "output": f"s3://{BUCKET}/{self.prefix}"})
        common = ["--config", f"/config/{config}"]
        self.workers = [
            site.start("worker", "fmbench-load-worker", *common, "--worker", "--master-host", "master", number=number + 1)
            for number in range(workers)
        ]
        self.master = site.start("master", "fmbench-load", *common, "--yes", "--master", "--expect-workers", str(workers))

    def requests(self) -> int:
        """How many the endpoint has seen of this run."""
        return int(self.site.counts()["requests"]) - self.since

    def ledger(self) -> list[dict[str, Any]]:
        return self.site.ledger(self.since)

    def stored(self) -> Stored:
        found = objects(self.site.s3, BUCKET, f"{self.prefix}/")
        (run_id,) = {name.partition("/")[0] for name in found}
        return Stored(run_id, {name.partition("/")[2]: data for name, data in found.items()})

    def second_cell_runs(self) -> None:
        """Wait until the endpoint has seen more requests than the first cell can have, and workers have told of some."""
        wait_until(lambda: self.requests() > self.first_cell + 80)

    def over(self) -> str:
        """What everybody said, for a message; the containers go."""
        said = "\n".join(f"--- {container.name}\n{container.said()}" for container in (self.master, *self.workers))
        for container in (self.master, *self.workers):
            docker("rm", "--force", "--volumes", container.name)
        return said


def get(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as answer:
        return bytes(answer.read())


def answers(url: str) -> bool:
    try:
        return bool(get(url)) or True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def wait_until(ready: Callable[[], Any], within_s: float = 180) -> Any:
    """The first true value of ``ready``."""
    end = time.monotonic() + within_s
    while not (found := ready()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)
    return found
