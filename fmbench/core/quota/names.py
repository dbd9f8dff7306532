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
_VERSION = re.compile(r" V(\d+)$")
_VERSION_OF_ID = re.compile(r"-v(\d+)(?::\w+)*$")
_SIZE = re.compile(r"\d+b")
_ALSO_CALLED = {
    "magistral-small-2509": "Magistral Small 1.2",
    "voxtral-mini-3b-2507": "Voxtral Mini 1.0",
    "voxtral-small-24b-2507": "Voxtral Small 1.0",
    "pixtral-large-2502": "Pixtral Large 25.02",
    "mistral-large-2402": "Mistral Large",
    "mistral-small-2402": "Mistral Small",
    "mixtral-8x7b": "Mixtral 8X7BB",
    "nemotron-nano-9b-v2": "Nemotron Nano 2",
    "nemotron-nano-12b-v2": "Nemotron Nano 2 VL",
    "nemotron-super-3-120b": "Nemotron 3 Super 120B A12B",
}
"""What quotas call models whose ids say something else, by a part of the id."""
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
    """``Anthropic Claude Sonnet 4.5 V1`` is claude-sonnet-4-5, and ``Mistral Large 3`` mistral-large-3-675b; a long context has
    quotas of its own."""
    if "context length" in display.lower():
        return False
    also = next((name for part, name in _ALSO_CALLED.items() if part in route.base_id), None)
    named, own = key_of_name(_VERSION.sub("", display)), key_of_id(route.base_id)
    if also is not None and named == key_of_name(also):
        return True
    without_size = tuple(word for word in own if not _SIZE.fullmatch(word))
    return named in (own, without_size) and _version(_VERSION, display) == _version(_VERSION_OF_ID, route.base_id)


def _version(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return 1 if found is None else max(1, int(found[1]))
