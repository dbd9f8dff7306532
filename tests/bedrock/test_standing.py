"""A process that stood still charges what happened meanwhile to itself, and nothing that happened before or later."""

from __future__ import annotations

import pytest

from fmbench.bedrock.deadlines import Deadlines
from fmbench.bedrock.faults import DeadlineReached
from fmbench.bedrock.http1 import ResponseReader
from fmbench.bedrock.standing import STANDING, Standing
from fmbench.config.schema import Timeouts
from fmbench.core.failures import FailureKind

S = 1_000_000_000


def stood(begin: float, end: float, told_until: float) -> Standing:
    """Told every tenth of a second but for one time."""
    standing = Standing()
    for tenth in range(round(told_until * 10) + 1):
        if not begin < tenth / 10 < end:
            standing.tell(tenth * S // 10)
    return standing


@pytest.mark.parametrize(
    ("since_s", "now_s", "caused"),
    [
        (9.0, 15.0, True),  # began before it, found as the process goes on
        (9.0, 16.9, True),
        (9.0, 17.5, False),  # found long after it
        (15.5, 16.0, False),  # began after it
        (8.0, 9.5, False),  # was over before it
    ],
)
def test_a_reset_is_the_process_own_when_it_stood_still_meanwhile(since_s: float, now_s: float, caused: bool) -> None:
    standing = stood(10, 15, now_s)
    assert standing.caused(FailureKind.RESET_IN_STREAM, int(since_s * S), int(now_s * S)) is caused


def test_a_time_that_nobody_told_of_yet_counts() -> None:
    standing = stood(100, 100, 10)
    assert standing.caused(FailureKind.TIMEOUT_CONNECT, 9 * S, 15 * S)
    assert standing.still_ns(9 * S, 15 * S) == 5 * S
    standing.rest()
    assert not standing.caused(FailureKind.TIMEOUT_CONNECT, 9 * S, 15 * S)


@pytest.mark.parametrize("kind", [FailureKind.THROTTLED, FailureKind.INTERNAL, FailureKind.MODEL_TIMEOUT, FailureKind.VALIDATION])
def test_what_the_service_said_stays_its_own(kind: FailureKind) -> None:
    assert not stood(10, 15, 15).caused(kind, 9 * S, 15 * S)


def test_short_waits_are_no_standing_still() -> None:
    assert stood(10, 10.9, 12).still_ns(0, 12 * S) == 0


def test_a_deadline_does_not_count_time_in_which_the_process_stood_still(monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts = Timeouts(first_byte_s=3, between_bytes_s=3, total_s=8)
    deadlines, reader = Deadlines(9 * S, timeouts), ResponseReader(lambda head: None)  # type: ignore[arg-type, return-value]
    found = stood(10, 15, 18)
    monkeypatch.setattr(STANDING, "told", found.told)
    monkeypatch.setattr(STANDING, "times", found.times)
    assert deadlines.left_s(reader, 15 * S) == pytest.approx(2)  # of three seconds one was over before it
    with pytest.raises(DeadlineReached) as raised:
        deadlines.left_s(reader, 17 * S)
    assert raised.value.kind is FailureKind.TIMEOUT_FIRST_BYTE, "the service had its three seconds"
