"""What deployment files are held against: the options that the command has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.containers import TAG, docker

ROOT = Path(__file__).resolve().parents[2]


def options_of(*command: str) -> set[str]:
    """The long options that ``fmbench-load [command] --help`` lists."""
    done = subprocess.run(
        [sys.executable, "-m", "fmbench", *command, "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    return set(re.findall(r"--[a-z][a-z-]+", done.stdout))


@pytest.fixture(scope="session")
def known_options() -> dict[str, set[str]]:
    """Options by command: ``run`` (no command word) and ``simulate``."""
    return {"run": options_of(), "simulate": options_of("simulate")}


@pytest.fixture(scope="session")
def images() -> None:
    """The three images are here, as ``make test-containers`` builds them. Skips where no Docker engine answers."""
    try:
        docker("info", timeout_s=30)
    except (AssertionError, FileNotFoundError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"no Docker engine answers; .ci/containers starts one as root on Debian ({str(error)[:200]})")
    found = docker("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    missing = {f"fmbench-load{part}:{TAG}" for part in ("", "-worker", "-store")} - set(found)
    assert not missing, f"{', '.join(sorted(missing))} not built: make test-containers, or docker/images.sh {TAG}"


@pytest.fixture
def check_arguments(known_options):
    """Fails when a container is started with an option that its command does not have."""

    def check(arguments: list[str]) -> None:
        command = "simulate" if arguments[0] == "simulate" else "run"
        assert {word for word in arguments if word.startswith("--")} <= known_options[command]

    return check
