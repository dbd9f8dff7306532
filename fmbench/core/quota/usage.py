"""What a cell took of its model's quota: at admission, at settlement, and which of the two the service throttled by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fmbench.core.quota.tokens import Quota, burndown_of, over
from fmbench.core.table import Rows

THROTTLES = ("throttled_requests", "throttled_tokens", "throttled_daily")
LIMITED = 0.01
"""From this share of throttled requests on, the quota was what was measured."""
NEAR = 0.8
"""From this share of a quota at admission on, it is near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaUse:
    """A minute of a cell's measured window. Tokens and requests a minute; None: the size of the quota is not known.

    Of a window of less than a minute they are what a minute of the same would take: more than the window itself can have."""

    model: str
    bucket: str
    concurrency: int
    seconds: float
    """How long the window was."""
    requests_per_min: float
    admitted_tpm: float
    """Prompts, cached tokens included, and ``max_tokens`` of every request that was let through."""
    settled_tpm: float
    """What of it was taken in the end, output tokens by their weight."""
    throttled: dict[str, int]
    throttled_share: float
    quota: dict[str, Any] | None
    admitted_share: float | None
    limit: str | None
    """``quota``: it throttled; ``near``: it would soon; ``model``: far from it. None: nothing is known of the quota."""
    max_tokens: int | None
    longest_output: int | None
    held: int
    """How many requests were held back to stay under the quota, …"""
    held_s: float | None
    """… and for how long on average, seconds; None: none was."""
    freed_share: float | None
    """What share of the admitted tokens a ``max_tokens`` of the longest answer would free."""

    def to_dict(self) -> dict[str, Any]:
        """For the summary."""
        return asdict(self)


def quota_for(manifest: Mapping[str, Any], label: str, model_id: str, endpoint: str = "runtime") -> Quota | None:
    """A model's quota at the service ``endpoint``: the configuration's ``quota:`` by its name, its route's model or its id; what
    that leaves out as the account's Service Quotas had it before the run. The burndown comes from the table where it is left out.
    """
    config, told = manifest.get("config") or {}, (manifest.get("quotas") or {}).get(label)
    sizes, models = config.get("quota") or {}, config.get("models") or []
    whose = next((model.get("route_of") for model in models if model.get("label") == label), None)
    asked = sizes.get(label) or sizes.get(whose) or sizes.get(model_id)
    account = None if told is None else Quota(**told)
    if not asked:
        return account
    burndown = asked.get("burndown") or burndown_of(model_id, endpoint)
    return over(Quota(tpm=asked.get("tpm"), rpm=asked.get("rpm"), tpd=asked.get("tpd"), burndown=burndown), account)


def endpoint_of(manifest: Mapping[str, Any], label: str) -> str:
    """The service that a model was asked at, as the run's configuration says."""
    models = (manifest.get("config") or {}).get("models") or []
    asked: Mapping[str, Any] = next((model for model in models if label in (model.get("label"), model.get("id"))), {})
    return str(asked.get("endpoint") or "runtime")


def quota_use(
    model: str,
    model_id: str,
    bucket: str,
    concurrency: int,
    rows: Rows,
    seconds: float,
    quota: Quota | None,
    endpoint: str = "runtime",
) -> QuotaUse | None:
    """What the measured requests ``rows`` of one cell took in ``seconds``; None: nothing was sent."""
    if not len(rows) or seconds <= 0:
        return None
    words = rows.words["failure"]
    throttled = {word: int(words.is_(word).sum()) for word in THROTTLES}
    refused = np.logical_or.reduce([words.is_(word) for word in THROTTLES])
    admitted = rows[~refused]
    a_minute = 60.0 / seconds
    prompt, reserved = _prompts(admitted), np.nan_to_num(admitted.number("max_tokens"))
    weight = burndown_of(model_id, endpoint) if quota is None else quota.burndown
    output = np.nan_to_num(admitted.number("output_tokens"))
    settled = prompt - np.nan_to_num(admitted.number("cache_read_tokens")) + output * weight
    at_admission = float((prompt + reserved).sum())
    share = None if quota is None or not quota.tpm else at_admission * a_minute / quota.tpm
    held = rows.known("paced_s")
    held = held[held > 0]
    longest, most = (int(values.max()) if len(values) and values.max() > 0 else None for values in (output, reserved))
    freed = (
        None if longest is None or most is None or not at_admission else max(0.0, (most - longest) * len(admitted) / at_admission)
    )
    return QuotaUse(
        model=model,
        bucket=bucket,
        concurrency=concurrency,
        seconds=seconds,
        requests_per_min=len(admitted) * a_minute,
        admitted_tpm=at_admission * a_minute,
        settled_tpm=float(settled.sum()) * a_minute,
        throttled=throttled,
        throttled_share=float(refused.mean()),
        quota=None if quota is None else asdict(quota),
        admitted_share=share,
        limit=_limit(float(refused.mean()), len(admitted) * a_minute, share, quota),
        max_tokens=most,
        longest_output=longest,
        held=len(held),
        held_s=float(held.mean()) if len(held) else None,
        freed_share=freed,
    )


def _prompts(rows: Rows) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Tokens of each prompt, cached ones included; the local count where the service told none."""
    told = rows.number("input_tokens")
    cached = np.nan_to_num(rows.number("cache_read_tokens")) + np.nan_to_num(rows.number("cache_write_tokens"))
    return np.where(np.isnan(told), np.nan_to_num(rows.number("prompt_tokens")), told + cached)


def _limit(throttled: float, requests_per_min: float, share: float | None, quota: Quota | None) -> str | None:
    if throttled >= LIMITED:
        return "quota"
    of_requests = requests_per_min / quota.rpm if quota is not None and quota.rpm else None
    shares = [each for each in (share, of_requests) if each is not None]
    if not shares:
        return None
    return "near" if max(shares) >= NEAR else "model"
