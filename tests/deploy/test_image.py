"""The image is built as its rules say, and the worker's list of packages is enough for a load process."""

from __future__ import annotations

import json
import re
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


def test_the_worker_list_leaves_out_what_only_prepare_and_report_need():
    assert worker_packages().isdisjoint({"datasets", "pandas", "pyarrow", "matplotlib", "plotly", "rs-bpe", "scipy"})


def test_a_load_process_runs_on_the_worker_list_alone():
    packages = worker_packages()
    foreign = [
        module for module, owners in packages_distributions().items() if not packages & set(map(canonicalize_name, owners))
    ]
    code = f"""
import sys
class Absent:
    names = set({json.dumps([name for name in foreign if name != "fmbench"])})
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"{{name}} is not in docker/worker-requirements.txt", name=name)
sys.meta_path.insert(0, Absent())
import locust, fmbench.cli, fmbench.load.locustfile
print("loaded")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip().endswith("loaded"), done.stderr
