"""A burst's part in one load process: it stops at the first throttle, then halves, and its log has the service's own counts."""

from __future__ import annotations

from typing import Any, cast

import pytest

from fmbench.core.failures import FailureKind
from fmbench.core.quota.burst import Burst
from fmbench.core.records import Exchange, Usage
from fmbench.load.worker.burst import Volley
from fmbench.load.worker.prepared import CellRequests
from fmbench.prompts.burst import burst_prompt


def _sized(tokens: int, most: int) -> CellRequests:
    nothing = cast(Any, None)
    return CellRequests(
        prompts=[burst_prompt(tokens, 1)], calls=[], caller=nothing, price=None, max_tokens=most, region=None, salted=True
    )


def _volley(limit: int, shrink: int = 0, share: float = 1.0) -> Volley:
    burst = Burst(prompt_tokens=400, max_tokens=64, output_tokens=1, limit=limit, shrink=shrink)
    return Volley(burst, [_sized(400 >> halving, 64 >> halving) for halving in range(shrink + 1)], share)


def _answered(sent_ns: int, tokens: int) -> Exchange:
    return Exchange(started_ns=0, sent_ns=sent_ns, ended_ns=sent_ns + 10**8, usage=Usage(input_tokens=tokens, output_tokens=3))


def _refused(sent_ns: int, kind: FailureKind) -> Exchange:
    return Exchange(started_ns=0, sent_ns=sent_ns, ended_ns=sent_ns + 10**6, failure=kind)


def test_without_a_throttle_its_share_of_the_burst_is_sent() -> None:
    volley = _volley(10, share=0.5)
    assert [volley.take() for _ in range(7)] == [0] * 5 + [None] * 2


def test_after_a_throttle_requests_halve_and_end() -> None:
    volley = _volley(100, shrink=3)
    assert volley.take() == 0
    volley.saw(0, _refused(1, FailureKind.THROTTLED_TOKENS))
    assert [volley.take() for _ in range(4)] == [1, 2, 3, None]


def test_the_log_has_the_services_counts_and_leaves_out_what_is_not_known() -> None:
    volley = _volley(100, shrink=1)
    volley.saw(0, _answered(10**9, 420))
    volley.saw(0, _refused(2 * 10**9, FailureKind.SERVICE_UNAVAILABLE))
    volley.saw(0, _refused(3 * 10**9, FailureKind.THROTTLED_TOKENS))
    volley.saw(1, _refused(4 * 10**9, FailureKind.THROTTLED_REQUESTS))
    log = volley.seen(epoch_offset_ns=10**9)
    assert [(seen.at, seen.input_tokens, seen.max_tokens, seen.output_tokens, seen.word) for seen in log] == [
        (2.0, 420, 64, 3, None),
        (4.001, 420, 64, 0, "tokens"),
        (5.001, 220, 32, 0, "requests"),
    ]
    assert log[0].ended_at == pytest.approx(2.1)
