"""Whether the account has quotas that let anything through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fmbench.bedrock.account import Unanswered, Why
from fmbench.bedrock.client import has_bearer_key
from fmbench.config.schema import Config, Model
from fmbench.core.failures import Refused
from fmbench.core.preflight import Found, Verdict
from fmbench.core.quota.names import quota_of
from fmbench.core.quota.tokens import Quota, burndown_of, over
from fmbench.run.preflight.subject import Subject, not_told

NAME = "quota"


def look(subject: Subject) -> Iterator[Found]:
    """The quotas of each model, by their names in Service Quotas, what ``quota:`` says over them; one of 0 refuses every
    request."""
    for model in subject.config.models:
        own, error = configured_quota(subject.config, model), None
        try:
            told = _of_the_account(subject, model)
        except Unanswered as failure:
            told, error = None, failure
        if error is not None and own is None:
            yield _not_read(model.name, error)
            continue
        subject.quotas[model.name] = over(own, told)
        yield _found(model.name, subject.quotas[model.name], own is not None)


def _not_read(name: str, error: Unanswered) -> Found:
    """A Bedrock API key reads no quotas, and requests do not need it to."""
    if error.why is Why.CREDENTIALS and has_bearer_key():
        what, cure = "a Bedrock API key does not read Service Quotas", "quota: in the configuration tells it."
        return Found(check=NAME, about=name, verdict=Verdict.UNKNOWN, what=what, cure=cure)
    return not_told(NAME, name, error, "servicequotas:ListServiceQuotas")


def _of_the_account(subject: Subject, model: Model) -> Quota | None:
    if not subject.has_account or model.endpoint == "mantle":  # which has quotas of its own, for input and for output
        return None
    return quota_of(subject.route(model), subject.account(subject.region(model)).quotas())


def quotas_known(config: Config, account: Mapping[str, Quota]) -> dict[str, Quota]:
    """Each model's quotas, by its name: the configuration's, over those of the account that were read."""
    found = {model.name: configured_quota(config, model) or account.get(model.name) for model in config.models}
    return {name: account.get(name, quota) for name, quota in found.items() if quota is not None}


def check_pacing(config: Config, account: Mapping[str, Quota]) -> None:
    """Raises ``Refused`` for models that are to stay under a quota that is not known."""
    if config.load.stay_under_quota is None:
        return
    known = {name for name, quota in quotas_known(config, account).items() if quota.rpm or quota.tpm}
    unknown = [model.name for model in config.models if model.name not in known]
    if unknown:
        cure = f'add quota: {{"{unknown[0]}": {{rpm: …, tpm: …}}}}, or drop load.stay_under_quota'
        raise Refused(f"load.stay_under_quota: the quota of {', '.join(unknown)} is not known; {cure}.")


def configured_quota(config: Config, model: Model) -> Quota | None:
    """What the configuration's ``quota:`` says of a model, by any of its names."""
    sizes = next((config.quota[name] for name in model.names if name in config.quota), None)
    if sizes is None:
        return None
    return Quota(sizes.tpm, sizes.rpm, sizes.tpd, sizes.burndown or burndown_of(model.id, model.endpoint))


def _found(name: str, quota: Quota | None, configured: bool) -> Found:
    if quota is None:
        cure = "quota: in the configuration tells it."
        return Found(check=NAME, about=name, verdict=Verdict.UNKNOWN, what="no quota has its name", cure=cure)
    sizes = {"tokens a minute": quota.tpm, "requests a minute": quota.rpm, "tokens a day": quota.tpd}
    text = ", ".join(f"{value:,.0f} {unit}" for unit, value in sizes.items() if value is not None)
    text += " (quota: in the configuration)" if configured else ""
    if any(value == 0 for value in sizes.values()):
        cure = "Every request will be throttled: ask for an increase in Service Quotas, or AWS support for a new account."
        return Found(check=NAME, about=name, verdict=Verdict.FAILED, what=text, cure=cure)
    return Found(check=NAME, about=name, verdict=Verdict.OK, what=text)
