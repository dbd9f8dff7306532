"""Whether each model can be called as its id says: it is there, not at its end, allowed, on demand or through its profile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fmbench.bedrock.account import Account, Unanswered, Why
from fmbench.config.schema import Model
from fmbench.core.preflight import Found, Verdict
from fmbench.run.preflight.subject import Subject, not_told

NAME = "model"
_READ = "bedrock:GetFoundationModel, bedrock:GetFoundationModelAvailability and bedrock:GetInferenceProfile"
_GOOD = {
    "authorizationStatus": ("AUTHORIZED", "The account is not authorized: ask who administers it, or AWS support."),
    "entitlementAvailability": ("AVAILABLE", "Ask for access on the console's Model access page."),
    "regionAvailability": ("AVAILABLE", "Choose a region that has it, or a cross-region profile."),
}


def look(subject: Subject) -> Iterator[Found]:
    """A finding or more for each model."""
    for model in subject.config.models:
        account = subject.account(subject.region(model))
        try:
            yield from _model(model, subject, account)
        except Unanswered as error:
            yield not_told(NAME, model.name, error, _READ)


def _model(model: Model, subject: Subject, account: Account) -> Iterator[Found]:
    route = subject.route(model)
    if ":provisioned-model/" in model.id:
        yield _provisioned(model, account)
        return
    if not route.by_the_token and "inference-profile" not in model.id:
        yield Found(check=NAME, about=model.name, verdict=Verdict.UNKNOWN, what="a custom or imported model is not looked up")
        return
    base = route.base_id
    if route.geography is not None or "inference-profile" in model.id:
        try:
            profile = account.profile(model.id)
        except Unanswered as error:
            if error.why is not Why.NOT_THERE:
                raise
            yield _no_profile(model, subject, account)
            return
        yield _profile(model, profile)
        base = _base_of(profile) or base
    yield from _foundation(model, base, account, on_demand=route.geography is None and "inference-profile" not in model.id)


def _no_profile(model: Model, subject: Subject, account: Account) -> Found:
    others = account.profiles_of(subject.route(model).base_id)
    cure = f"Use {' or '.join(others)}." if others else "See `aws bedrock list-inference-profiles`."
    what = f"no inference profile {model.id} in {account.region}"
    return Found(check=NAME, about=model.name, verdict=Verdict.FAILED, what=what, cure=cure)


def _profile(model: Model, profile: dict[str, Any]) -> Found:
    status = profile.get("status")
    if status != "ACTIVE":
        what, cure = f"its profile is {status}", "Use another profile."
        return Found(check=NAME, about=model.name, verdict=Verdict.FAILED, what=what, cure=cure)
    arns = [str(each.get("modelArn", "")).split(":") for each in profile.get("models", [])]
    regions = sorted({arn[3] for arn in arns if len(arn) > 3})
    where = ", ".join(region or "any region" for region in regions)
    return Found(check=NAME, about=model.name, verdict=Verdict.OK, what=f"a profile over {where}")


def _base_of(profile: dict[str, Any]) -> str | None:
    arns = [str(each.get("modelArn", "")) for each in profile.get("models", [])]
    return next((arn.rpartition("/")[2] for arn in arns if "foundation-model/" in arn), None)


def _foundation(model: Model, base: str, account: Account, on_demand: bool) -> Iterator[Found]:
    try:
        details = account.model(base)
    except Unanswered as error:
        if error.why is not Why.NOT_THERE:
            raise
        cure = "Check the id and the region (`aws bedrock list-foundation-models`)."
        yield Found(check=NAME, about=model.name, verdict=Verdict.FAILED, what=f"no model {base} in {account.region}", cure=cure)
        return
    yield from _lifecycle(model, details)
    kinds = details.get("inferenceTypesSupported") or []
    if on_demand and kinds and "ON_DEMAND" not in kinds:
        profiles = account.profiles_of(base)
        cure = f"Use {' or '.join(profiles)}." if profiles else "Use its inference profile, such as us. or global. before the id."
        yield Found(check=NAME, about=model.name, verdict=Verdict.FAILED, what="it cannot be called on demand", cure=cure)
    if details.get("responseStreamingSupported") is False and model.api.endswith("-stream"):
        cure = f"Set api: {model.api.removesuffix('-stream')}."
        yield Found(check=NAME, about=model.name, verdict=Verdict.FAILED, what="it does not stream", cure=cure)
    yield from _access(model, base, account)


def _lifecycle(model: Model, details: dict[str, Any]) -> Iterator[Found]:
    lifecycle = details.get("modelLifecycle") or {}
    if lifecycle.get("status") == "LEGACY":
        end = lifecycle.get("endOfLifeTime")
        what = f"it is a legacy model{f', its end is {end:%Y-%m-%d}' if hasattr(end, 'strftime') else ''}"
        yield Found(check=NAME, about=model.name, verdict=Verdict.WARNING, what=what, cure="Measure its successor too.")


def _access(model: Model, base: str, account: Account) -> Iterator[Found]:
    answer = account.availability(base)
    agreement = (answer.get("agreementAvailability") or {}).get("status")
    faults = [f"{name} is {answer.get(name)}: {cure}" for name, (good, cure) in _GOOD.items() if answer.get(name) != good]
    if agreement not in ("AVAILABLE", None):
        faults.append(f"agreementAvailability is {agreement}: accept the offer on the console's Model access page")
    if not faults:
        yield Found(check=NAME, about=model.name, verdict=Verdict.OK, what="the account may use it")
    for fault in faults:
        what, _, cure = fault.partition(": ")
        yield Found(check=NAME, about=model.name, verdict=Verdict.FAILED, what=what, cure=cure)


def _provisioned(model: Model, account: Account) -> Found:
    answer = account.provisioned(model.id)
    status = answer.get("status")
    good = status == "InService"
    verdict, cure = (Verdict.OK, "") if good else (Verdict.FAILED, "Wait until it is in service.")
    what = f"provisioned, {answer.get('modelUnits')} model units, {status}"
    return Found(check=NAME, about=model.name, verdict=verdict, what=what, cure=cure)
