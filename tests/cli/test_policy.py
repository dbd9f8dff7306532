"""``fmbench-load policy`` prints what a configuration needs, and no more; ``check`` ends with 3 where a run could not start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

Done = subprocess.CompletedProcess[str]
SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"


def call(
    folder: Path, command: str, config: dict[str, Any], *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    file = folder / "cfg.yml"
    file.write_text(yaml.safe_dump(config))
    line = [sys.executable, "-m", "fmbench", command, str(file), *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False, env=os.environ | variables, timeout=120)


def policy(folder: Path, config: dict[str, Any], *arguments: str, **variables: str) -> dict[str, dict[str, Any]]:
    done = call(folder, "policy", config, *arguments, **variables)
    assert done.returncode == 0, done.stderr
    return {statement["Sid"]: statement for statement in json.loads(done.stdout)["Statement"]}


def test_a_model_on_demand_needs_one_action_on_one_model(tmp_path: Path) -> None:
    found = policy(tmp_path, {"models": [{"id": "amazon.nova-lite-v1:0"}], "region": "eu-west-2"})
    assert found["CallModels"]["Action"] == ["bedrock:InvokeModelWithResponseStream"]
    assert found["CallModels"]["Resource"] == ["arn:aws:bedrock:eu-west-2::foundation-model/amazon.nova-lite-v1:0"]
    assert found.keys() == {"CallModels", "Preflight"}
    assert "bedrock:GetProvisionedModelThroughput" not in found["Preflight"]["Action"]


def test_a_provisioned_model_is_asked_for_by_its_own_call(tmp_path: Path) -> None:
    arn = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abc"
    found = policy(tmp_path, {"models": [{"id": arn, "family": "nova"}], "region": "us-east-1"})
    assert found["CallModels"]["Resource"] == [arn]
    assert found["Preflight"]["Action"].count("bedrock:GetProvisionedModelThroughput") == 1


def test_a_run_on_the_simulator_needs_its_buckets_alone(tmp_path: Path) -> None:
    config = {"models": [{"id": "amazon.nova-lite-v1:0"}], "region": "us-east-1", "simulator": {}, "cloudwatch": True}
    done = call(tmp_path, "policy", config)
    assert json.loads(done.stdout)["Statement"] == [] and "--set simulator=null" in done.stderr
    assert policy(tmp_path, config | {"output": "s3://runs/here"}).keys() == {"StoreRuns", "ListRuns", "BucketKey"}
    assert "CallModels" in policy(tmp_path, config, "--set", "simulator=null")


def test_a_profile_needs_the_model_in_every_region_behind_it(tmp_path: Path) -> None:
    model = {"id": f"us.{SONNET}", "api": "converse", "inference": {"guardrail": {"guardrailIdentifier": "abc"}}}
    config = {"models": [model], "region": "us-east-1", "output": "s3://runs/here"}
    found = policy(tmp_path, config, "--account", "111122223333", AWS_BEARER_TOKEN_BEDROCK="key")
    assert found["CallModels"]["Action"] == ["bedrock:InvokeModel"]
    assert found["CallModels"]["Resource"] == [
        f"arn:aws:bedrock:*::foundation-model/{SONNET}",
        f"arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.{SONNET}",
    ]
    assert found["ApplyGuardrails"]["Resource"] == ["arn:aws:bedrock:us-east-1:111122223333:guardrail/abc"]
    assert found["CallWithApiKey"]["Action"] == ["bedrock:CallWithBearerToken"]
    assert found["StoreRuns"]["Resource"] == "arn:aws:s3:::runs/here/*"
    assert found["ListRuns"]["Resource"] == "arn:aws:s3:::runs"


def test_other_partitions_have_their_arns(tmp_path: Path) -> None:
    found = policy(tmp_path, {"models": [{"id": "amazon.nova-lite-v1:0"}], "region": "us-gov-west-1"})
    assert found["CallModels"]["Resource"] == ["arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.nova-lite-v1:0"]


def test_prompts_on_s3_are_read_and_nothing_else_there(tmp_path: Path) -> None:
    dataset = {"source": "jsonl", "path": "s3://prompts/mine/a.jsonl", "buckets": ["1-500"]}
    model = {"id": "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "region": "us-gov-west-1"}
    found = policy(tmp_path, {"models": [model], "dataset": dataset})
    below = "arn:aws-us-gov:s3:::prompts/mine/a.jsonl"
    assert (found["ReadPrompts"]["Action"], found["ReadPrompts"]["Resource"]) == (["s3:GetObject"], [below, f"{below}/*"])
    assert found["ListPrompts"]["Resource"] == "arn:aws-us-gov:s3:::prompts"
    assert found["PromptsKey"]["Action"] == ["kms:Decrypt"]
    assert "StoreRuns" not in found


def test_a_check_that_fails_ends_with_3(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    config = {"models": [{"id": "nobody.knows"}], "simulator": {}, "output": str(tmp_path / "file" / "runs")}
    done = call(tmp_path, "check", config, "--json")
    assert done.returncode == 3
    found = {(each["check"], each["verdict"]): each for each in json.loads(done.stdout)["found"]}
    assert found["output", "failed"]["cure"] and found["price", "warning"]["cure"]
    assert call(tmp_path, "check", config | {"output": str(tmp_path / "runs")}).returncode == 0


def test_aws_that_cannot_be_reached_is_told_with_its_cure(tmp_path: Path) -> None:
    proxy = {"HTTPS_PROXY": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    config = {"models": [{"id": "amazon.nova-lite-v1:0"}], "region": "us-east-1", "output": str(tmp_path / "runs")}
    done = call(tmp_path, "check", config, "--json", **proxy)
    assert done.returncode == 3
    assert any("HTTPS_PROXY" in each["cure"] for each in json.loads(done.stdout)["found"])
