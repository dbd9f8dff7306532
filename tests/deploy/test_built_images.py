"""The images as they are built: small, without root or compiler, under an init, with a health check that tells."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.deploy.containers import LOCKED, TAG, Container, docker, wait_until

pytestmark = [pytest.mark.containers, pytest.mark.slow, pytest.mark.usefixtures("images")]

FULL, WORKER, STORE = (f"fmbench-load{part}:{TAG}" for part in ("", "-worker", "-store"))
NOT_IN_A_WORKER = {"datasets", "huggingface_hub", "pandas", "pyarrow", "numpy", "scipy", "matplotlib", "plotly", "rs_bpe"}
IMPORT_ALL = """
import locust
import importlib, pkgutil, fmbench
for module in pkgutil.walk_packages(fmbench.__path__, "fmbench."):
    if module.name.rpartition(".")[2] not in ("__main__", "locustfile"):
        importlib.import_module(module.name)
import datasets, numpy.testing, pandas.testing, plotly.offline, pyarrow.dataset, pyarrow.parquet, scipy.stats, matplotlib.pyplot
assert len(plotly.offline.get_plotlyjs()) > 1_000_000
"""


def shell(image: str, script: str) -> str:
    """What a script in the image prints, run as the image's own user."""
    return docker("run", "--rm", "--network", "none", *LOCKED, "--entrypoint", "/bin/bash", image, "-c", script)


@pytest.mark.parametrize("image", [FULL, WORKER, STORE])
def test_it_is_not_root_and_cannot_change_itself(image: str):
    assert shell(image, "id -u; id -g").split() == ["10001", "10001"]
    said = shell(image, "touch /opt/fmbench/x /usr/x /etc/x 2>&1; touch /tmp/x /var/lib/fmbench/x && echo may write")
    assert said.count("cannot touch") == 3
    assert said.endswith("may write")


@pytest.mark.parametrize("image", [FULL, WORKER, STORE])
def test_no_compiler_and_no_installer_is_in_it(image: str):
    found = shell(
        image,
        "for name in cc gcc c++ g++ clang make; do command -v $name; done; ls /opt/fmbench/bin | grep -E '^(pip|wheel)'; true",
    )
    assert found == ""
    assert docker("history", "--format", "{{.CreatedBy}}", "--no-trunc", image).count("/wheels") == 0


def test_a_worker_leaves_out_what_only_prepare_and_report_need():
    packages = set(shell(WORKER, "ls /opt/fmbench/lib/python3*/site-packages").split())
    assert packages.isdisjoint(NOT_IN_A_WORKER)
    assert {"locust", "gevent", "botocore", "fmbench"} <= packages


def test_what_was_pruned_is_missed_by_nothing():
    docker("run", "--rm", "--network", "none", *LOCKED, "--entrypoint", "/opt/fmbench/bin/python", FULL, "-c", IMPORT_ALL)


def test_sizes_stay_small():
    """What is added to the base, in MB: a limit a little above what it was when this was written."""
    sizes = {image: sum(layers(image)[-4:]) / 1e6 for image in (FULL, WORKER, STORE)}
    assert sizes[FULL] < 700, sizes
    assert sizes[WORKER] < 130, sizes


def test_help_is_quick_and_version_is_there():
    docker("run", "--rm", FULL, "--help")
    began = time.monotonic()
    assert "--config" in docker("run", "--rm", *LOCKED, FULL, "--help")
    assert time.monotonic() - began < 10


@pytest.fixture
def waiting() -> Iterator[Container]:
    """A worker whose master does not come, checked each second."""
    container = Container("fmbench-test-health")
    subprocess.run(["docker", "rm", "--force", container.name], capture_output=True, check=False)
    checks = ["--health-interval", "1s", "--health-start-period", "0s", "--health-retries", "1"]
    arguments = ["--config", "/nowhere/cfg.yml", "--worker", "--master-host", "127.0.0.1"]
    docker("run", "--detach", "--network", "none", "--name", container.name, *checks, *LOCKED, WORKER, *arguments)
    try:
        yield container
    finally:
        docker("rm", "--force", "--volumes", container.name)


def health(container: Container) -> str:
    return docker("inspect", "--format", "{{.State.Health.Status}}", container.name)


def test_the_init_is_process_one_and_a_stuck_load_process_is_found_out(waiting: Container):
    wait_until(lambda: health(waiting) == "healthy", 30)
    assert docker("exec", waiting.name, "cat", "/proc/1/comm") == "tini"
    lines = "/tmp/fmbench-load-x/process-0/run/health/worker-0.jsonl"
    docker("exec", waiting.name, "/bin/bash", "-c", f"mkdir -p {lines.rpartition('/')[0]}; touch -d '6 minutes ago' {lines}")
    wait_until(lambda: health(waiting) == "unhealthy", 30)
    docker("exec", waiting.name, "touch", lines)
    wait_until(lambda: health(waiting) == "healthy", 30)
    waiting.signal("TERM")
    assert waiting.status(60) == 143


def layers(image: str) -> list[int]:
    """Bytes of each layer, the lowest first."""
    return [int(size) for size in docker("history", "--human=false", "--format", "{{.Size}}", image).split()[::-1]]
