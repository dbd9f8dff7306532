"""The IAM policy that a configuration needs, no more; the reason for each part is its name."""

from __future__ import annotations

from typing import Any

from fmbench.bedrock.account import Account, Unanswered
from fmbench.bedrock.carrying import BOTO3_KINDS, kind_of
from fmbench.bedrock.client import has_bearer_key
from fmbench.config.schema import Config, Model
from fmbench.core.prices.route import Route
from fmbench.storage.store import scheme_of

ANY_ACCOUNT = "*"


def policy(config: Config, account_id: str = ANY_ACCOUNT, live_prices: bool = False) -> dict[str, Any]:
    """The policy document. ``account_id`` narrows resources that belong to an account. The simulator's models need nothing."""
    statements = [*_prompts(config), *_output(config)]
    if config.simulator is None:
        statements = [*_calls(config, account_id), _statement("Preflight", _preflight(config), "*"), *statements]
    if live_prices:
        statements.append(_statement("LivePrices", ["pricing:GetProducts"], "*"))
    if config.cloudwatch and config.simulator is None:
        statements.append(_statement("SecondWitness", ["cloudwatch:GetMetricData"], "*"))
    return {"Version": "2012-10-17", "Statement": statements}


_PREFLIGHT = (
    "sts:GetCallerIdentity",
    "bedrock:GetFoundationModel",
    "bedrock:GetFoundationModelAvailability",
    "bedrock:GetInferenceProfile",
    "bedrock:ListInferenceProfiles",
    "servicequotas:ListServiceQuotas",
)


def _preflight(config: Config) -> list[str]:
    """What the checks before a run ask; a provisioned model is asked for by its own call."""
    provisioned = any(":provisioned-model/" in model.id for model in config.models)
    return [*_PREFLIGHT, *(["bedrock:GetProvisionedModelThroughput"] if provisioned else [])]


def partition_of(region: str) -> str:
    """``aws``, or the partition that a region belongs to."""
    starts = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-isob-": "aws-iso-b", "us-isof-": "aws-iso-f"}
    starts |= {"us-iso-": "aws-iso", "eu-isoe-": "aws-iso-e", "eusc-": "aws-eusc"}
    return next((partition for start, partition in starts.items() if region.startswith(start)), "aws")


def _calls(config: Config, account_id: str) -> list[dict[str, Any]]:
    mantle = [model for model in config.models if getattr(model, "endpoint", None) == "mantle"]
    runtime = [model for model in config.models if model not in mantle]
    statements = []
    if runtime:
        actions = sorted({action for model in runtime for action in _actions(model)})
        resources = sorted({arn for model in runtime for arn in _resources(config, model, account_id)})
        statements.append(_statement("CallModels", actions, resources))
    if mantle:
        projects = sorted({_project(model.region or config.region or "*", account_id) for model in mantle})
        statements.append(_statement("CallMantle", ["bedrock-mantle:CreateInference"], projects))
    if has_bearer_key():
        services = [name for name, used in (("bedrock", runtime), ("bedrock-mantle", mantle)) if used]
        statements.append(_statement("CallWithApiKey", [f"{name}:CallWithBearerToken" for name in services], "*"))
    guardrails = sorted({arn for model in config.models for arn in _guardrails(config, model, account_id)})
    if guardrails:
        statements.append(_statement("ApplyGuardrails", ["bedrock:ApplyGuardrail"], guardrails))
    return statements


def _project(region: str, account_id: str) -> str:
    return f"arn:{partition_of(region)}:bedrock-mantle:{region}:{account_id}:project/*"


def _actions(model: Model) -> list[str]:
    """Converse and InvokeModel need the same action; streams have one of their own. A prompt router is resolved first."""
    posted = kind_of(model.api) not in BOTO3_KINDS
    whole = model.api.endswith("-whole") or model.api in BOTO3_KINDS
    calls = ["bedrock:InvokeModel"] if whole else ["bedrock:InvokeModelWithResponseStream"]
    if posted and not whole:
        calls.append("bedrock:InvokeModel")
    return [*calls, "bedrock:GetPromptRouter"] if "prompt-router/" in model.id else calls


def _resources(config: Config, model: Model, account_id: str) -> list[str]:
    """The model's ARN; of a profile its own and those of the model in every region that it may route to."""
    region = model.region or config.region or "*"
    partition = partition_of(region)
    if model.id.startswith("arn:"):
        own = [model.id]
        return own if "foundation-model/" in model.id else [*own, *_behind(model, region, partition)]
    route = Route(model.id, region)
    base = f"arn:{partition}:bedrock:{region}::foundation-model/{route.base_id}"
    if route.geography is None:
        return [base]
    profile = f"arn:{partition}:bedrock:{region}:{account_id}:inference-profile/{model.id}"
    return [profile, f"arn:{partition}:bedrock:*::foundation-model/{route.base_id}"]


def _behind(model: Model, region: str, partition: str) -> list[str]:
    """The models behind a profile's or router's ARN: as AWS tells, else any."""
    if ":inference-profile/" in model.id:
        return [f"arn:{partition}:bedrock:*::foundation-model/{Route(model.id, region).base_id}"]
    if ":application-inference-profile/" not in model.id and "prompt-router/" not in model.id:
        return []
    try:
        behind = [str(each["modelArn"]) for each in Account(region).profile(model.id).get("models", []) if each.get("modelArn")]
    except (Unanswered, KeyError):
        behind = []
    return behind or [f"arn:{partition}:bedrock:*::foundation-model/*"]


def _guardrails(config: Config, model: Model, account_id: str) -> list[str]:
    guardrail = model.inference.guardrail or config.inference.guardrail
    name = None if guardrail is None else guardrail.get("guardrailIdentifier")
    region = model.region or config.region or "*"
    if not isinstance(name, str):
        return []
    return [name if name.startswith("arn:") else f"arn:{partition_of(region)}:bedrock:{region}:{account_id}:guardrail/{name}"]


def _home(config: Config) -> str:
    """The partition of a run's buckets."""
    return partition_of(config.region or next((model.region for model in config.models if model.region), ""))


def _prompts(config: Config) -> list[dict[str, Any]]:
    """A dataset on S3, one object or those of a folder, is listed and read; so is its bucket's key."""
    path = config.dataset.path
    if path is None or scheme_of(path) != "s3":
        return []
    bucket, _, key = path.partition("://")[2].partition("/")
    arn = f"arn:{_home(config)}:s3:::{bucket}"
    key = key.rstrip("/")
    return [
        _statement("ReadPrompts", ["s3:GetObject"], [f"{arn}/{key}", f"{arn}/{key}/*"] if key else [f"{arn}/*"]),
        _statement("ListPrompts", ["s3:ListBucket"], arn),
        _key("PromptsKey", ["kms:Decrypt"], _home(config)),
    ]


def _key(name: str, actions: list[str], partition: str) -> dict[str, Any]:
    """The key of a bucket, as far as S3 uses it."""
    statement = _statement(name, actions, f"arn:{partition}:kms:*:*:key/*")
    statement["Condition"] = {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com*"}}
    return statement


def _output(config: Config) -> list[dict[str, Any]]:
    """What a run below an bucket does: put, read, take away its own objects, list them, and use the bucket's key."""
    if scheme_of(config.output) != "s3":
        return []
    partition = _home(config)
    bucket, _, prefix = config.output.partition("://")[2].partition("/")
    below = f"arn:{partition}:s3:::{bucket}/{prefix.rstrip('/') + '/' if prefix else ''}*"
    objects = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return [
        _statement("StoreRuns", objects, below),
        _statement("ListRuns", ["s3:ListBucket"], f"arn:{partition}:s3:::{bucket}"),
        _key("BucketKey", ["kms:GenerateDataKey", "kms:Decrypt"], partition),
    ]


def _statement(name: str, actions: list[str], resources: list[str] | str) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resources}
