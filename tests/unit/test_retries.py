"""When a failure is tried again, and how long that waits."""

from __future__ import annotations

import random

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from fmbench.config.retry import Retry
from fmbench.core.retries import Backoff

DICE = random.Random(1)
RULE = Backoff(attempts=6, base_s=0.5, cap_s=3.0, jitter=False, on=frozenset({"throttled", "internal"}))


def test_waits_double_up_to_the_cap_and_end_with_the_last_attempt() -> None:
    assert [RULE.delay_s("internal", attempt, DICE) for attempt in range(1, 7)] == [0.5, 1.0, 2.0, 3.0, 3.0, None]


def test_full_jitter_is_even_between_nothing_and_the_longest_wait() -> None:
    rule = Backoff(attempts=9, base_s=0.5, cap_s=3.0, jitter=True, on=frozenset({"internal"}))
    waits = np.array([rule.delay_s("internal", 2, DICE) for _ in range(4000)], dtype=np.float64)
    assert stats.kstest(waits, "uniform", args=(0, 1.0)).pvalue > 0.001


@pytest.mark.parametrize("kind", ["throttled", "throttled_requests", "throttled_tokens", "throttled_in_stream", "quota"])
def test_throttled_stands_for_every_throttle(kind: str) -> None:
    assert RULE.delay_s(kind, 1, DICE) == 0.5


def test_nothing_else_is_tried_again() -> None:
    assert [RULE.delay_s(kind, 1, DICE) for kind in (None, "validation", "service_unavailable", "timeout_total")] == [None] * 4
    alone = Backoff(attempts=2, base_s=1, cap_s=1, jitter=False, on=frozenset({"throttled_tokens"}))
    assert alone.delay_s("throttled_tokens", 1, DICE) == 1 and alone.delay_s("throttled_requests", 1, DICE) is None


def test_a_mode_of_boto3_takes_no_rule_of_ours() -> None:
    assert Retry(mode="standard", attempts=4).backoff is None
    with pytest.raises(ValidationError, match="where boto3 decides"):
        Retry(mode="standard", base_s=1.0)
    with pytest.raises(ValidationError, match="'throttled'") as found:
        Retry(on=["tired"])
    assert "FailureKind" not in str(found.value)
    assert Retry().backoff == Backoff(attempts=3, base_s=0.5, cap_s=20.0, jitter=True, on=frozenset(Retry().backoff.on))  # type: ignore[union-attr]
