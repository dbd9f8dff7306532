"""Whether the account has quotas that let anything through."""

from __future__ import annotations

from collections.abc import Iterator

from fmbench.bedrock.account import Unanswered
from fmbench.core.preflight import Found, Verdict
from fmbench.core.quota.names import quota_of
from fmbench.core.quota.tokens import Quota
from fmbench.run.preflight.subject import Subject, not_told

NAME = "quota"


def look(subject: Subject) -> Iterator[Found]:
    """The quotas of each model, by their names in Service Quotas; one of 0 refuses every request."""
    for model in subject.config.models:
        try:
            found = quota_of(subject.route(model), subject.account(subject.region(model)).quotas())
        except Unanswered as error:
            yield not_told(NAME, model.name, error, "servicequotas:ListServiceQuotas")
            continue
        yield _found(model.name, found)


def _found(name: str, quota: Quota | None) -> Found:
    if quota is None:
        cure = "quota: in the configuration tells it."
        return Found(check=NAME, about=name, verdict=Verdict.UNKNOWN, what="no quota has its name", cure=cure)
    sizes = {"tokens a minute": quota.tpm, "requests a minute": quota.rpm, "tokens a day": quota.tpd}
    text = ", ".join(f"{value:,.0f} {unit}" for unit, value in sizes.items() if value is not None)
    if any(value == 0 for value in sizes.values()):
        cure = "Every request will be throttled: ask for an increase in Service Quotas, or AWS support for a new account."
        return Found(check=NAME, about=name, verdict=Verdict.FAILED, what=text, cure=cure)
    return Found(check=NAME, about=name, verdict=Verdict.OK, what=text)
