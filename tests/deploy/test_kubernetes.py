"""Every overlay renders, is valid Kubernetes from 1.30 on, and says what the image and its own parts say."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from fmbench.config.schema import Config
from fmbench.load.deadlines import FAREWELL_S, GOODBYE_S, GRACE_S, STATISTICS_WAIT_S, STORE_AT_THE_END_S
from fmbench.load.secret import SHORTEST_SECRET

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = sorted((ROOT / "k8s/overlays").iterdir())
NEWEST = kubernetes_validate.latest_version()
VERSIONS = [f"1.{minor}" for minor in range(30, int(NEWEST.split(".")[1]) + 1)]

EXPOSED = re.compile(r"^EXPOSE (.*)$", flags=re.MULTILINE)

pytestmark = [
    pytest.mark.skipif(
        shutil.which("kubectl") is None and "CI" not in os.environ,
        reason="kubectl renders the overlays; in CI it has to be there",
    ),
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


def test_images_and_ports_are_those_of_the_dockerfile(objects, master, workers):
    """Pods run nothing but what its targets are called, as itself, on ports that it exposes."""
    dockerfile = (ROOT / "docker/Dockerfile").read_text()
    stages = dict(re.findall(r"^FROM runtime AS (\S+)$(.*?)(?=^FROM |\Z)", dockerfile, flags=re.MULTILINE | re.DOTALL))
    (user,) = re.findall(r"^USER (\d+):", dockerfile, flags=re.MULTILINE)
    volumes = set(json.loads(re.findall(r"^VOLUME (\[.*\])$", dockerfile, flags=re.MULTILINE)[0]))
    for (kind, name), each in objects.items():
        if kind not in ("Job", "Deployment"):
            continue
        assert pod_of(each)["securityContext"]["runAsUser"] == int(user)
        for container in pod_of(each)["containers"]:
            image = container["image"].rpartition(":")[0].rpartition("/")[2]
            target = {"fmbench-load": "full", "fmbench-load-worker": "worker", "fmbench-load-store": "store"}[image]
            exposed = {int(port) for ports in EXPOSED.findall(stages[target]) for port in ports.split()}
            assert "command" not in container, "the image's own entry point runs under an init"
            asked = {int(container["args"][container["args"].index("--port") + 1])} if name == "simulator" else set()
            assert {port["containerPort"] for port in container.get("ports", [])} <= exposed | asked
            assert volumes <= {mount["mountPath"] for mount in container["volumeMounts"]}, name


def test_a_finished_run_is_not_started_again(objects, master, workers):
    assert {kind for kind, _ in objects}.isdisjoint({"HorizontalPodAutoscaler", "StatefulSet", "DaemonSet", "CronJob"})
    for job in (master, workers):
        assert job["activeDeadlineSeconds"] > 0
        assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert master["backoffLimit"] == 0


def test_a_lost_worker_does_not_end_the_others(workers):
    """A Job whose backoffLimit is reached ends all of its pods; with a limit for each index the others go on."""
    assert workers["completionMode"] == "Indexed"
    assert workers["backoffLimitPerIndex"] == 0
    assert "backoffLimit" not in workers
    assert "maxFailedIndexes" not in workers


def test_what_is_told_to_end_has_the_time_that_its_code_takes(master, workers):
    alone = GRACE_S + GOODBYE_S + STORE_AT_THE_END_S
    assert workers["template"]["spec"]["terminationGracePeriodSeconds"] > alone
    leading = GRACE_S + FAREWELL_S + STATISTICS_WAIT_S
    assert master["template"]["spec"]["terminationGracePeriodSeconds"] > leading + 120, "a report takes time"


def test_the_study_fits_into_the_deadline_of_the_jobs(objects, master, workers):
    """Even when each cell takes as long as it may and one in three is measured again."""
    name = master["template"]["spec"]["volumes"][0]["configMap"]["name"]
    config = Config.model_validate(yaml.safe_load(objects["ConfigMap", name]["data"]["cfg.yml"]))
    cells = len(config.models) * len(config.dataset.buckets) * len(config.load.concurrency)
    cell_s = config.load.warmup_s + 10 * config.load.duration_s + 60
    for job in (master, workers):
        assert job["activeDeadlineSeconds"] > cells * cell_s * 4 / 3


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


def test_pods_reach_what_a_run_needs_and_no_more(objects, master, workers):
    """Names, HTTPS, EKS Pod Identity's agent; from workers the master; in the local overlay the endpoints of its variables."""
    for job, more in ((master, set()), (workers, {5557})):
        labels = job["template"]["metadata"]["labels"].items()
        rules = [
            rule
            for (kind, _), each in objects.items()
            if kind == "NetworkPolicy" and each["spec"]["podSelector"]["matchLabels"].items() <= labels
            for rule in each["spec"].get("egress", [])
        ]
        anywhere = {port["port"] for rule in rules if "to" not in rule for port in rule["ports"]}
        somewhere = {port["port"] for rule in rules if "to" in rule for port in rule["ports"]}
        variables = [
            each["data"] for (kind, name), each in objects.items() if name.startswith("fmbench-endpoints") and "data" in each
        ]
        endpoints = {
            int(value.rpartition(":")[2]) for data in variables for value in data.values() if value.startswith("http://")
        }
        assert anywhere == {53, 443}
        assert somewhere == {80} | more | endpoints
        blocks = {peer["ipBlock"]["cidr"] for rule in rules for peer in rule.get("to", []) if "ipBlock" in peer}
        assert blocks == {"169.254.170.23/32", "fd00:ec2::23/128"}


def test_the_configuration_that_both_mount_is_one(objects, master, workers):
    names = {job["template"]["spec"]["volumes"][0]["configMap"]["name"] for job in (master, workers)}
    (name,) = names
    for text in objects["ConfigMap", name]["data"].values():
        Config.model_validate(yaml.safe_load(text))


def test_master_and_workers_share_a_secret_and_nobody_else_has_it(objects, master, workers):
    names = set()
    for job in (master, workers):
        pod, container = job["template"]["spec"], container_of(job)
        (mount,) = [each for each in container["volumeMounts"] if each["name"] == "secret"]
        (volume,) = [each for each in pod["volumes"] if each["name"] == "secret"]
        (variable,) = [each["value"] for each in container["env"] if each["name"] == "FMBENCH_SECRET_FILE"]
        assert variable == f"{mount['mountPath']}/secret" and mount["readOnly"] is True
        assert volume["secret"]["defaultMode"] == 0o440, "read by the pod's group, which is fsGroup"
        assert "optional" not in volume["secret"], "without it nothing starts"
        names.add(volume["secret"]["secretName"])
    (name,) = names
    made = [each for (kind, _), each in objects.items() if kind == "Secret"]
    assert [each["metadata"]["name"] for each in made] in ([], [name])
    assert all(len(base64.b64decode(each["data"]["secret"])) >= SHORTEST_SECRET for each in made)
    others = [pod_of(each) for (kind, _), each in objects.items() if kind == "Deployment"]
    assert not [volume for pod in others for volume in pod["volumes"] if "secret" in volume]


def test_the_documentation_makes_the_secret_that_the_pods_wait_for(overlay):
    pages = [(ROOT / name).read_text() for name in ("docs/containers.md", "k8s/overlays/eks/kustomization.yaml")]
    assert all("kubectl create secret generic fmbench-secret --from-literal=secret=" in page for page in pages)
