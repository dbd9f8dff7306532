"""How far the load processes were from the endpoint: what of a TTFT is the way there and back, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fmbench.core.wording import amount, joined

FAR_S = 0.02
"""A round trip to AWS above this does not come from the same region."""


def distance(manifest: Mapping[str, Any]) -> tuple[bool, str] | None:
    """Whether the load came from afar, and a sentence with the longest round trip; None when nothing was measured."""
    workers = manifest.get("workers") or []
    trips = {str(worker.get("id")): float(worker["endpoint_round_trip_s"]) for worker in workers if _measured(worker)}
    longest = max(trips.values(), default=None)
    elsewhere = sorted({str(worker["region"]) for worker in workers if worker.get("region")} - _regions(manifest))
    far = _is_aws(manifest) and longest is not None and longest > FAR_S
    if not far and not elsewhere:
        return None if longest is None else (False, f"{_trip(trips)} TTFT holds it.")
    origin = (
        f"The load comes from {joined(elsewhere)}, the models are called elsewhere." if elsewhere else "The load comes from afar."
    )
    held = "" if longest is None else f" {_trip(trips)} TTFT holds {amount(longest, 's')} of network."
    return True, f"{origin}{held} {_cure(manifest)}"


def _measured(worker: Mapping[str, Any]) -> bool:
    return worker.get("endpoint_round_trip_s") is not None


def _trip(trips: Mapping[str, float]) -> str:
    worst = max(trips, key=trips.__getitem__)
    return f"The network takes up to {amount(trips[worst], 's')} to the endpoint and back ({worst})."


def _regions(manifest: Mapping[str, Any]) -> set[str]:
    """Where requests go: the run's region, and those that models have of their own."""
    models = (manifest.get("config") or {}).get("models") or []
    return {str(region) for region in (manifest.get("region"), *(model.get("region") for model in models)) if region}


def _is_aws(manifest: Mapping[str, Any]) -> bool:
    endpoint = str(manifest.get("endpoint") or "")
    return endpoint == "aws" or ".amazonaws.com" in endpoint


def _cure(manifest: Mapping[str, Any]) -> str:
    regions = sorted(_regions(manifest))
    return f"Run it in {' or '.join(regions)}." if regions else "Run it in the endpoint's region."
