"""The ECS template is valid CloudFormation, grants what the documentation says, and starts what the image has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from fmbench.load.secret import SHORTEST_SECRET

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "ecs/template.yml"


class Reader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions, each as ``{name: argument}``."""


def function(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


Reader.add_multi_constructor("!", function)


@pytest.fixture
def template() -> dict[str, Any]:
    return yaml.load(TEMPLATE.read_text(), Reader)


@pytest.fixture
def resources(template) -> dict[str, Any]:
    return template["Resources"]


def test_cfn_lint_has_nothing_to_say():
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), TEMPLATE], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_task_role_may_do_what_the_documentation_says_and_no_more(resources):
    (text,) = re.findall(r"^```json\n(.*?)^```", (ROOT / "docs/running-on-aws.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    documented = json.loads(text)["Statement"]
    (policy,) = resources["TaskRole"]["Properties"]["Policies"]
    granted = policy["PolicyDocument"]["Statement"]
    assert [(each["Sid"], each["Action"]) for each in granted] == [(each["Sid"], each["Action"]) for each in documented]


def test_commands_are_those_of_the_image(resources, check_arguments):
    for task in ("MasterTask", "WorkerTask"):
        (container,) = resources[task]["Properties"]["ContainerDefinitions"]
        check_arguments([word for word in container["Command"] if isinstance(word, str)])


@pytest.mark.parametrize("task", ["MasterTask", "WorkerTask"])
def test_a_task_has_a_vcpu_time_to_drain_and_an_image_that_it_cannot_change(resources, task):
    properties = resources[task]["Properties"]
    (container,) = properties["ContainerDefinitions"]
    assert properties["Cpu"] == "1024"
    assert container["StopTimeout"] == 120
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["InitProcessEnabled"] is True
    assert properties["TaskRoleArn"] != properties["ExecutionRoleArn"]


def test_only_workers_reach_the_port_of_the_master(resources):
    openings = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::EC2::SecurityGroupIngress"]
    (opening,) = openings
    assert opening["SourceSecurityGroupId"] == {"Ref": "WorkerSecurityGroup"}
    assert (opening["FromPort"], opening["ToPort"]) == (5557, 5557)
    assert "SecurityGroupIngress" not in resources["MasterSecurityGroup"]["Properties"]
    assert "SecurityGroupIngress" not in resources["WorkerSecurityGroup"]["Properties"]


def test_nothing_keeps_a_study_running(resources):
    assert "AWS::ECS::Service" not in {each["Type"] for each in resources.values()}


def test_only_the_models_of_the_study_may_be_asked(template, resources):
    """No default, and no value that stands for every model; what the policy command prints is taken."""
    (policy,) = resources["TaskRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    asking = [each for each in statements if any(action.startswith("bedrock:") for action in each["Action"])]
    assert [each["Resource"] for each in asking] == [{"Ref": "ModelArns"}]
    parameter = template["Parameters"]["ModelArns"]
    assert "Default" not in parameter
    allowed = re.compile(parameter["AllowedPattern"])
    everything = [
        "*",
        "arn:aws:bedrock:*::foundation-model/*",
        "arn:aws:bedrock:*:*:*",
        "arn:aws:s3:::b/k",
        "arn:aws:bedrock:*::x/a*",
    ]
    assert [arn for arn in everything if allowed.fullmatch(arn)] == []
    config = ROOT / "configs/nova.yml"
    done = subprocess.run(
        [sys.executable, "-m", "fmbench", "policy", config], capture_output=True, text=True, timeout=60, check=True
    )
    (asked,) = [each for each in json.loads(done.stdout)["Statement"] if each["Sid"] == "CallModels"]
    assert asked["Resource"] and all(allowed.fullmatch(arn) for arn in asked["Resource"])


@pytest.mark.parametrize("task", ["MasterTask", "WorkerTask"])
def test_master_and_workers_are_given_one_secret_that_nobody_wrote_down(resources, task):
    (container,) = resources[task]["Properties"]["ContainerDefinitions"]
    assert container["Secrets"] == [{"Name": "FMBENCH_SECRET", "ValueFrom": {"Ref": "RunSecret"}}]
    assert "FMBENCH_SECRET" not in [each["Name"] for each in container["Environment"]]
    made = resources["RunSecret"]["Properties"]
    assert "SecretString" not in made and made["GenerateSecretString"]["PasswordLength"] >= SHORTEST_SECRET
    (policy,) = resources["ExecutionRole"]["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("secretsmanager:GetSecretValue", {"Ref": "RunSecret"})
