"""The image is built as its rules say, and the worker's list of packages is enough for a load process."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "docker/Dockerfile"
HADOLINT = Path(sys.executable).with_name("hadolint")


def stage(name: str) -> str:
    """The text of one stage of the Dockerfile."""
    return re.split(r"^FROM ", DOCKERFILE.read_text().split(f" AS {name}\n")[1], flags=re.MULTILINE)[0]


def worker_packages() -> set[str]:
    """What docker/worker-requirements.txt installs, with all that these need."""
    lines = (ROOT / "docker/worker-requirements.txt").read_text().splitlines()
    waiting = [line for line in lines if line and not line.startswith("#")]
    found: set[str] = set()
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name not in found and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            found.add(name)
            waiting += requires(name) or []
    return found


@pytest.mark.skipif(not HADOLINT.exists(), reason="hadolint is packaged for Linux only")
def test_hadolint_has_nothing_to_say():
    done = subprocess.run([HADOLINT, DOCKERFILE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_an_image_runs_without_root_under_an_init_and_can_be_checked():
    assert "USER 10001:10001" in stage("runtime")
    assert 'ENTRYPOINT ["tini", "-g", "--", "fmbench-load"]' in stage("runtime")
    for target in ("worker", "full"):
        assert "HEALTHCHECK" in stage(target)
        assert "pip install" not in stage(target)


def test_the_image_is_made_of_what_the_context_lets_in():
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {words.split()[0] for words in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE.read_text(), flags=re.MULTILINE)}
    assert copied - {"."} <= allowed
    assert all((ROOT / path).exists() for path in allowed)


def test_whatever_is_installed_has_a_hash():
    installs = [line for line in DOCKERFILE.read_text().splitlines() if "pip install" in line]
    assert len(installs) == 6
    assert all("--require-hashes" in line or "--no-deps --no-index /built/" in line for line in installs)
    for lock in sorted((ROOT / "docker").glob("*.lock")):
        text = lock.read_text()
        assert "://" not in text and "--index" not in text and "--find-links" not in text, f"{lock.name} names a registry"
        packages = re.split(r"\n(?=[a-z])", text)
        assert all("--hash=sha256:" in package for package in packages), lock.name


def test_the_lock_files_have_the_versions_that_the_tests_passed_with():
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    known = {canonicalize_name(name): version for name, version in pinned.items()}
    for name in ("full", "worker"):
        found = re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / f"docker/{name}.lock").read_text(), flags=re.MULTILINE)
        differing = {each: version for each, version in found if known.get(canonicalize_name(each), version) != version}
        assert found and not differing
    worker = {name for name, _ in found}
    assert {canonicalize_name(name) for name in worker_packages()} <= worker | {"colorama", "tzdata"}


def test_the_worker_list_leaves_out_what_only_prepare_and_report_need():
    assert worker_packages().isdisjoint({"datasets", "pandas", "pyarrow", "matplotlib", "plotly", "rs-bpe", "scipy"})


def site_without_the_rest(folder: Path) -> Path:
    """A folder for PYTHONPATH: interpreters that see it, and their children, lack each package that is not on the list."""
    packages = worker_packages() | {"fmbench-load"}
    foreign = [
        module for module, owners in packages_distributions().items() if not packages & set(map(canonicalize_name, owners))
    ]
    (folder / "sitecustomize.py").write_text(f"""
import sys
class Absent:
    names = set({json.dumps(foreign)})
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"{{name}} is not in docker/worker-requirements.txt", name=name)
sys.meta_path.insert(0, Absent())
""")
    return folder


def test_a_worker_calls_its_master_on_the_worker_list_alone(tmp_path: Path):
    config = tmp_path / "cfg.yml"
    config.write_text("region: us-east-1\nmodels: [{id: us.amazon.nova-lite-v1:0}]\n")
    address = "127.0.0.57"  # loopback, and nobody else's: the port is Locust's own
    with socket.create_server((address, 5557)) as master:
        worker = subprocess.Popen(
            [sys.executable, "-m", "fmbench", "--config", config, "--worker", "--master-host", address],
            env=os.environ | {"PYTHONPATH": str(site_without_the_rest(tmp_path))},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            accepted(master, worker).close()
        finally:
            worker.terminate()
            worker.communicate(timeout=60)


def accepted(master: socket.socket, worker: subprocess.Popen[str]) -> socket.socket:
    """The worker's connection; fails with what it said when it ended instead."""
    master.settimeout(0.2)
    for _ in range(450):
        with contextlib.suppress(TimeoutError):
            return master.accept()[0]
        assert worker.poll() is None, worker.communicate()[1]
    raise AssertionError("the worker did not call its master")
