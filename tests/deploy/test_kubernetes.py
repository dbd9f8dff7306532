"""Every overlay renders, is valid Kubernetes from 1.30 on, and says what the image and its own parts say."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from fmbench.config.schema import Config

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = sorted((ROOT / "k8s/overlays").iterdir())
NEWEST = kubernetes_validate.latest_version()
VERSIONS = [f"1.{minor}" for minor in range(30, int(NEWEST.split(".")[1]) + 1)]

pytestmark = [
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl renders the overlays"),
    pytest.mark.parametrize("overlay", OVERLAYS, ids=[overlay.name for overlay in OVERLAYS], scope="module"),
]


@pytest.fixture(scope="module")
def objects(overlay: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The overlay's objects, by kind and name."""
    done = subprocess.run(["kubectl", "kustomize", overlay], capture_output=True, text=True, check=True, timeout=60)
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(done.stdout)}


@pytest.fixture(scope="module")
def master(objects) -> dict[str, Any]:
    return objects["Job", "fmbench-master"]["spec"]


@pytest.fixture(scope="module")
def workers(objects) -> dict[str, Any]:
    return objects["Job", "fmbench-workers"]["spec"]


def pod_of(each: dict[str, Any]) -> dict[str, Any]:
    """The pod that a Job or Deployment starts."""
    return each["spec"]["template"]["spec"]


def container_of(job: dict[str, Any]) -> dict[str, Any]:
    """A Job's one container."""
    (container,) = job["template"]["spec"]["containers"]
    return container


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(objects, version):
    for each in objects.values():
        kubernetes_validate.validate(each, version, strict=True)


def test_the_master_waits_for_as_many_workers_as_there_are(master, workers):
    arguments = container_of(master)["args"]
    expected = int(arguments[arguments.index("--expect-workers") + 1])
    assert expected == workers["completions"] == workers["parallelism"]


def test_commands_are_those_of_the_image(objects, check_arguments):
    for (kind, _), each in objects.items():
        if kind in ("Job", "Deployment"):
            for container in pod_of(each)["containers"]:
                if container["name"] != "store":
                    check_arguments(container["args"])


def test_workers_find_the_master_by_its_service(objects, master, workers):
    arguments = container_of(workers)["args"]
    service = objects["Service", arguments[arguments.index("--master-host") + 1]]["spec"]
    assert service["clusterIP"] == "None"
    assert service["publishNotReadyAddresses"] is True
    assert service["selector"].items() <= master["template"]["metadata"]["labels"].items()
    assert [port["port"] for port in service["ports"]] == [5557]
    assert [port["containerPort"] for port in container_of(master)["ports"]] == [5557]


def test_a_finished_run_is_not_started_again(objects, master, workers):
    assert {kind for kind, _ in objects}.isdisjoint({"HorizontalPodAutoscaler", "StatefulSet", "DaemonSet", "CronJob"})
    for job in (master, workers):
        assert job["backoffLimit"] == 0
        assert job["activeDeadlineSeconds"] > 0
        assert job["template"]["spec"]["restartPolicy"] == "Never"
        assert job["template"]["spec"]["terminationGracePeriodSeconds"] >= 120


def test_each_load_process_has_a_whole_cpu_of_its_own(workers):
    resources = container_of(workers)["resources"]
    assert resources["requests"] == resources["limits"]
    assert float(resources["limits"]["cpu"]).is_integer()


def test_no_container_is_root_or_writes_to_its_image(objects):
    pods = [pod_of(each) for (kind, _), each in objects.items() if kind in ("Job", "Deployment")]
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]


def test_only_workers_reach_the_master(objects, workers):
    policy = objects["NetworkPolicy", "fmbench-master"]["spec"]
    (rule,) = policy["ingress"]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"].items() <= workers["template"]["metadata"]["labels"].items()
    assert "ingress" not in objects["NetworkPolicy", "fmbench-workers"]["spec"]


def test_the_configuration_that_both_mount_is_one(objects, master, workers):
    names = {job["template"]["spec"]["volumes"][0]["configMap"]["name"] for job in (master, workers)}
    (name,) = names
    for text in objects["ConfigMap", name]["data"].values():
        Config.model_validate(yaml.safe_load(text))
