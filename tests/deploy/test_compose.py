"""The compose file is one, and its containers are started with commands, files and ports that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fmbench.config.schema import Config

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker/compose.yml"


@pytest.fixture
def services() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text())["services"]


def test_it_follows_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_commands_are_those_of_the_image(services, check_arguments):
    for service in services.values():
        if "command" in service:
            check_arguments(service["command"])


def test_targets_are_stages_of_the_dockerfile(services):
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "docker/Dockerfile").read_text(), flags=re.MULTILINE))
    targets = {service["build"]["target"] for service in services.values() if "build" in service}
    assert targets == {"full", "worker", "store"}
    assert targets <= stages


def test_mounted_files_are_configurations(services):
    mounts = {mount.split(":")[0] for service in services.values() for mount in service.get("volumes", [])} - {"secret"}
    assert len(mounts) == 2
    for mount in mounts:
        Config.model_validate(yaml.safe_load((FILE.parent / mount).read_text()))


def test_the_master_waits_for_as_many_workers_as_there_are(services):
    asked = services["master"]["command"]
    assert asked[asked.index("--expect-workers") + 1] == services["worker"]["deploy"]["replicas"]
    assert services["worker"]["command"][-1] == "master"


def test_the_study_only_meets_models_that_the_simulator_has_been_told_of(services):
    study = yaml.safe_load((FILE.parent / "study.yml").read_text())
    simulator = yaml.safe_load((ROOT / "configs/quickstart.yml").read_text())["simulator"]
    assert {model["id"] for model in study["models"]} == set(simulator["models"])
    assert study["output"].startswith("s3://fmbench/")


def test_master_and_workers_share_a_secret_that_is_made_before_them(services):
    for name in ("master", "worker"):
        assert services[name]["environment"]["FMBENCH_SECRET_FILE"] == "/run/fmbench/secret"
        assert "secret:/run/fmbench:ro" in services[name]["volumes"]
    assert services["worker"]["depends_on"]["secret"] == {"condition": "service_completed_successfully"}
    assert services["secret"]["volumes"] == ["secret:/var/lib/fmbench"], "where the image's user may write"
    assert not [name for name, service in services.items() if "FMBENCH_SECRET" in service.get("environment", {})]


def test_nothing_is_open_to_the_outside(services):
    assert [name for name, service in services.items() if "ports" in service] == []
