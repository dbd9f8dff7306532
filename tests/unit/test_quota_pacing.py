"""Pacing against the simulator's own admission: whatever window it keeps, nothing is throttled, and the quota is used."""

from __future__ import annotations

from random import Random
from typing import Literal

import pytest

from fmbench.core.quota.pacing import Pacer
from fmbench.simulator.behaviour import Quota
from fmbench.simulator.quota import Admission

SHARE = 0.9


def _simulated(quota: Quota, prompt: int, most: int, output: int, minutes: int) -> int:
    """How many requests go out in so many minutes of one user after the other; a throttle raises."""
    now = 0.0
    admission = Admission(quota, lambda: now)
    pacer = Pacer(quota.requests_per_minute, quota.tokens_per_minute, quota.burndown, SHARE)
    dice, sent, open_tickets = Random(1), 0, []
    while now < 60 * minutes:
        tokens = pacer.reserved(prompt, most)
        wait_s = pacer.wait_s(now, tokens)
        now += wait_s + dice.uniform(0, 0.002)
        for ticket, end in [pair for pair in open_tickets if pair[1] <= now]:
            admission.settle(ticket, output)
            pacer.settle(tokens, prompt, prompt, 0, output)
            open_tickets.remove((ticket, end))
        if wait_s:
            continue
        open_tickets.append((admission.admit(prompt, most), now + 0.5))
        pacer.take(tokens)
        sent += 1
    return sent


@pytest.mark.parametrize("window", ["bucket", "rolling", "clock"])
def test_requests_stay_under_their_quota_and_use_it(window: Literal["bucket", "rolling", "clock"]) -> None:
    sent = _simulated(Quota(requests_per_minute=120, window=window), 10, 10, 5, minutes=5)
    assert 0.95 * SHARE * 600 <= sent <= 600


@pytest.mark.parametrize("window", ["bucket", "rolling", "clock"])
def test_tokens_stay_under_their_quota_and_use_it(window: Literal["bucket", "rolling", "clock"]) -> None:
    quota = Quota(tokens_per_minute=60_000, window=window, burndown=5)
    sent = _simulated(quota, 300, 100, 60, minutes=5)
    took = 300 + 5 * 60
    assert 0.9 * SHARE * 300_000 <= sent * took <= 300_000


def test_a_request_larger_than_all_that_may_go_at_once_goes() -> None:
    pacer = Pacer(None, 10_000, 1.0, SHARE)
    assert pacer.wait_s(0.0, 8000) == 0
    pacer.take(8000)
    assert pacer.wait_s(1.0, 8000) > 30
