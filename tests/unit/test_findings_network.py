"""A load that comes from afar is found, with what the network adds to a TTFT and the region to run it in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.made import Cellful
from tests.unit.test_findings import found, steady_rows, validity_of


def worker(name: str, trip: float | None, region: str | None = None) -> dict[str, Any]:
    return {"id": name, "endpoint_round_trip_s": trip, "region": region}


def network(*workers: dict[str, Any], **manifest: Any) -> dict[str, Any] | None:
    """The finding about the network of a run in us-east-1, if there is one."""
    given = {"endpoint": "aws", "region": "us-east-1", **manifest}
    about = found(validity_of([Cellful(steady_rows())], workers=list(workers), **given), "network")
    return about[0] if about else None


@pytest.mark.parametrize(
    ("trip", "region", "severity"),
    [
        (0.0012, "us-east-1", "note"),
        (0.0012, None, "note"),
        (0.02, "us-east-1", "note"),
        (0.0874, None, "warning"),
        (0.0874, "us-east-1", "warning"),
        (0.0061, "us-east-2", "warning"),
        (None, "eu-west-1", "warning"),
    ],
)
def test_the_finding_is_as_grave_as_the_way_is_long(trip: float | None, region: str | None, severity: str) -> None:
    finding = network(worker("w1", trip, region))
    assert finding is not None
    assert finding["severity"] == severity
    assert ("Run it in us-east-1." in finding["message"]) == (severity == "warning")


def test_the_longest_way_of_all_is_told() -> None:
    finding = network(worker("w1", 0.0011), worker("w2", 0.0874), worker("w3", None))
    assert finding is not None
    assert "87.4 ms" in finding["message"]
    assert "(w2)" in finding["message"]


def test_the_region_that_the_load_comes_from_is_told() -> None:
    finding = network(worker("w1", 0.0011, "us-east-1"), worker("w2", 0.0874, "eu-west-1"))
    assert finding is not None
    assert "from eu-west-1" in finding["message"]


def test_a_model_with_a_region_of_its_own_is_called_there() -> None:
    config = {"objectives": {}, "models": [{"id": "a.id", "region": "us-west-2"}]}
    finding = network(worker("w1", 0.001, "us-west-2"), config=config)
    assert finding is not None
    assert finding["severity"] == "note"


def test_another_endpoint_may_be_as_far_as_it_likes() -> None:
    finding = network(worker("w1", 0.0874), endpoint="https://models.example.net")
    assert finding is not None
    assert finding["severity"] == "note"


@pytest.mark.parametrize("workers", [[], [worker("w1", None)], [{"id": "w1"}]])
def test_nothing_is_said_of_what_nobody_measured(workers: list[dict[str, Any]]) -> None:
    assert network(*workers) is None
