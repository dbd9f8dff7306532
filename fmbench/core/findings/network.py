"""How long the network takes to the endpoint and back, and whether the load came from another region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from fmbench.core.findings.finding import NOTE, WARNING, Evidence, Finding
from fmbench.core.messages import Amount, Message, Several
from fmbench.core.units import SECONDS

FAR_S = 0.02
"""A round trip to AWS above this does not come from the same region."""


@dataclass(frozen=True, slots=True)
class RunIn(Message):
    """The cure, where the models' regions are known."""

    says: ClassVar[str] = "Run it in {regions}."
    regions: Several


@dataclass(frozen=True, slots=True)
class RunNear(Message):
    """The cure, where they are not."""

    says: ClassVar[str] = "Run it in the endpoint's region."


@dataclass(frozen=True, slots=True)
class RoundTrip(Message):
    """The longest way there and back, and whose it is."""

    says: ClassVar[str] = "The network takes up to {trip} to the endpoint and back ({worker}). TTFT holds it."
    trip: Amount
    worker: str


@dataclass(frozen=True, slots=True)
class Far(Message):
    """The way is longer than any within a region."""

    says: ClassVar[str] = (
        "The load comes from afar. The network takes up to {trip} to the endpoint and back ({worker}). "
        "TTFT holds {trip} of network. {cure}"
    )
    trip: Amount
    worker: str
    cure: Message


@dataclass(frozen=True, slots=True)
class Elsewhere(Message):
    """The load processes are in other regions than the models."""

    says: ClassVar[str] = (
        "The load comes from {regions}, the models are called elsewhere. The network takes up to {trip} to the endpoint and back "
        "({worker}). TTFT holds {trip} of network. {cure}"
    )
    regions: Several
    trip: Amount
    worker: str
    cure: Message


@dataclass(frozen=True, slots=True)
class ElsewhereUnmeasured(Message):
    """The same, where no way was measured."""

    says: ClassVar[str] = "The load comes from {regions}, the models are called elsewhere. {cure}"
    regions: Several
    cure: Message


def from_afar(evidence: Evidence) -> Iterator[Finding]:
    """What of a TTFT is the way there and back."""
    manifest = evidence.manifest
    workers = manifest.get("workers") or []
    trips = {str(worker.get("id")): float(worker["endpoint_round_trip_s"]) for worker in workers if _measured(worker)}
    longest = max(trips, key=trips.__getitem__, default=None)
    elsewhere = sorted({str(worker["region"]) for worker in workers if worker.get("region")} - _regions(manifest))
    cure = _cure(manifest)
    if longest is None:
        if elsewhere:
            yield Finding(WARNING, "network", ElsewhereUnmeasured(Several(tuple(elsewhere)), cure))
        return
    trip = Amount(trips[longest], SECONDS)
    if elsewhere:
        yield Finding(WARNING, "network", Elsewhere(Several(tuple(elsewhere)), trip, longest, cure))
    elif _is_aws(manifest) and trip.value > FAR_S:
        yield Finding(WARNING, "network", Far(trip, longest, cure))
    else:
        yield Finding(NOTE, "network", RoundTrip(trip, longest))


def _measured(worker: Mapping[str, Any]) -> bool:
    return worker.get("endpoint_round_trip_s") is not None


def _regions(manifest: Mapping[str, Any]) -> set[str]:
    """Where requests go: the run's region, and those that models have of their own."""
    models = (manifest.get("config") or {}).get("models") or []
    return {str(region) for region in (manifest.get("region"), *(model.get("region") for model in models)) if region}


def _is_aws(manifest: Mapping[str, Any]) -> bool:
    endpoint = str(manifest.get("endpoint") or "")
    return endpoint == "aws" or ".amazonaws.com" in endpoint


def _cure(manifest: Mapping[str, Any]) -> Message:
    regions = sorted(_regions(manifest))
    return RunIn(Several(tuple(regions), joint="or")) if regions else RunNear()


CHECKS = (from_afar,)
