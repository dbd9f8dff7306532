"""What an account can call in a region, as Bedrock's control plane lists it: models on demand, and profiles over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from fmbench.bedrock.account import Account, Unanswered, Why

AT_ONCE = 8
"""Models that are asked about at a time."""
_GOOD = {"authorizationStatus": "AUTHORIZED", "entitlementAvailability": "AVAILABLE", "regionAvailability": "AVAILABLE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One id that requests can name. What Bedrock did not say is None."""

    id: str
    how: str
    """``on demand``, ``by profile only``, ``provisioned only``, ``profile`` or ``application profile``."""
    base: str | None
    """The foundation model behind it."""
    regions: tuple[str, ...] = ()
    """Where a profile's requests may be served; a region of ``*`` is any."""
    lifecycle: str | None = None
    ends: datetime | None = None
    streams: bool | None = None
    access: str | None = None
    """``yes``, or what stands in the way."""


@dataclass(slots=True)
class Catalogue:
    """What was found, and what could not be asked: a sentence each."""

    rows: list[Listed] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)


def catalogue(account: Account, wanted: Callable[[str], bool] = lambda model_id: True) -> Catalogue:
    """Every id that ``wanted`` takes, of models first, with the account's access to each model.

    What may not be asked is said in ``unasked``. Raises ``Unanswered`` where neither models nor profiles can be listed.
    """
    found = Catalogue()
    models = _asked(found, account.foundation_models, "bedrock:ListFoundationModels", "models on demand are not listed")
    profiles = _asked(found, account.inference_profiles, "bedrock:ListInferenceProfiles", "profiles are not listed")
    if models is None and profiles is None:
        raise Unanswered(Why.NOT_ALLOWED, " ".join(found.unasked))
    by_id = {str(model.get("modelId")): model for model in models or ()}
    rows = [_model(model) for model in models or ()] + [_profile(profile, by_id) for profile in profiles or ()]
    rows = [row for row in rows if wanted(row.id) or (row.base is not None and wanted(row.base))]
    access = _access(found, account, {row.base for row in rows if row.base is not None})
    found.rows = [_with_access(row, access) for row in rows]
    return found


def _asked(found: Catalogue, ask: Callable[[], list[dict[str, Any]]], permission: str, so: str) -> list[dict[str, Any]] | None:
    try:
        return ask()
    except Unanswered as error:
        if error.why is not Why.NOT_ALLOWED:
            raise
        found.unasked.append(f"{permission} is not allowed ({error.message}): {so}.")
        return None


def _model(model: dict[str, Any]) -> Listed:
    kinds = model.get("inferenceTypesSupported") or []
    other = "by profile only" if "INFERENCE_PROFILE" in kinds else "provisioned only"
    how = "on demand" if "ON_DEMAND" in kinds or not kinds else other
    name = str(model.get("modelId"))
    return Listed(id=name, how=how, base=name, **_told(model))


def _told(model: dict[str, Any]) -> dict[str, Any]:
    lifecycle = model.get("modelLifecycle") or {}
    return {
        "lifecycle": lifecycle.get("status"),
        "ends": lifecycle.get("endOfLifeTime"),
        "streams": model.get("responseStreamingSupported"),
    }


def _profile(profile: dict[str, Any], models: dict[str, dict[str, Any]]) -> Listed:
    arns = [str(each.get("modelArn", "")) for each in profile.get("models", [])]
    base = next((arn.rpartition("/")[2] for arn in arns if "foundation-model/" in arn), None)
    system = profile.get("type") != "APPLICATION"
    name = str(profile.get("inferenceProfileId") if system else profile.get("inferenceProfileArn"))
    regions = sorted({arn.split(":")[3] or "*" for arn in arns if arn.count(":") > 3})
    told = _told(models.get(base or "", {}))
    return Listed(id=name, how="profile" if system else "application profile", base=base, regions=tuple(regions), **told)


def _access(found: Catalogue, account: Account, bases: Iterable[str]) -> dict[str, str]:
    """The account's access to each model, by its id; the first refusal to say ends the asking."""
    names = sorted(bases)
    refused: list[Unanswered] = []

    def one(name: str) -> str | None:
        try:
            return None if refused else _in_words(account.availability(name))
        except Unanswered as error:
            if error.why is not Why.NOT_THERE:
                refused.append(error)
            return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = dict(zip(names, pool.map(one, names), strict=True))
    if refused:
        found.unasked.append(
            f"bedrock:GetFoundationModelAvailability is not allowed ({refused[0].message}): access is not known of every model."
        )
    return {name: answer for name, answer in answers.items() if answer is not None}


def _in_words(answer: dict[str, Any]) -> str:
    agreement = answer.get("agreementAvailability") or {}
    faults = [f"{name} {answer.get(name)}" for name, good in _GOOD.items() if answer.get(name) != good]
    if agreement.get("status") not in ("AVAILABLE", None):
        faults.append(f"agreement {agreement['status']}")
    return ", ".join(faults) or "yes"


def _with_access(row: Listed, access: dict[str, str]) -> Listed:
    return replace(row, access=access.get(row.base or ""))
