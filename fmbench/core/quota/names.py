"""Which of Bedrock's service quotas are a route's: they are told by their names alone, and names spell models as people do."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fmbench.core.prices.names import key_of_id, key_of_name
from fmbench.core.prices.route import Route
from fmbench.core.quota.tokens import Quota, burndown_of

SOURCE = "service-quotas"
_PER_MINUTE = re.compile(
    r"^(?P<scope>Global cross-region|Cross-region|On-demand) (?:model inference|InvokeModel) "
    r"(?P<what>tokens|requests) per minute for (?P<model>.+)$",
    re.IGNORECASE,
)
_PER_DAY = re.compile(
    r"^(?:(?P<scope>Global cross-region) model inference|Model invocation max) tokens per day for (?P<model>.+?)"
    r"(?: \(doubled for cross-region calls\))?$",
    re.IGNORECASE,
)
_SCOPES = {"on-demand": "on-demand", "geo": "cross-region", "global": "global cross-region"}


def whose(route: Route, tier: str | None = None, endpoint: str = "runtime") -> tuple[str, ...]:
    """What tells a quota from others: requests of equal ones take of the same. Tiers share one, but for ``reserved``; a profile
    of a geography takes that of the region that is called; what is not billed by tokens, and bedrock-mantle, have their own."""
    own = (endpoint, "reserved" if tier == "reserved" else "")
    where = route.region or ""
    return (*own, where, route.scope, route.base_id) if route.by_the_token else (*own, where, "", route.model_id)


def quota_of(route: Route, quotas: Iterable[tuple[str, float]]) -> Quota | None:
    """The quotas of a route among an account's, by name; None: there is none of them."""
    found: dict[str, float] = {}
    for name, value in quotas:
        kind = _kind(name, route)
        if kind is not None:
            found[kind] = value
    if not found:
        return None
    return Quota(
        tpm=found.get("tpm"), rpm=found.get("rpm"), tpd=found.get("tpd"), burndown=burndown_of(route.base_id), source=SOURCE
    )


def _kind(name: str, route: Route) -> str | None:
    """``tpm``, ``rpm`` or ``tpd``; None: a quota of something else."""
    minute, day = _PER_MINUTE.match(name), _PER_DAY.match(name)
    if minute is not None and minute["scope"].lower() == _SCOPES[route.scope] and _is(minute["model"], route):
        return "tpm" if minute["what"].lower() == "tokens" else "rpm"
    if day is not None and (day["scope"] is not None) == (route.scope == "global") and _is(day["model"], route):
        return "tpd"
    return None


def _is(display: str, route: Route) -> bool:
    """``Anthropic Claude Sonnet 4.5 V1`` is claude-sonnet-4-5; its long context has quotas of its own."""
    if "context length" in display.lower():
        return False
    return key_of_name(re.sub(r" V\d+$", "", display)) == key_of_id(route.base_id)
