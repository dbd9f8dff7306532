"""Intervals of cells that ended when they had shown enough: by hand, and wider than those of a fixed window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fmbench.core.anytime import block_s_of
from tests.unit.made import Cellful, failed, row, run_of, summarise

DECIDED = {"until": "decided", "duration_s": 60.0, "max_duration_s": 1000.0}
LIMITS = {"e2e_p95_s": 5.0, "error_rate": 0.2}


def cell(seconds: float, errors: int = 0) -> Cellful:
    rng = np.random.default_rng(3)
    made = [row(float(at), float(rng.lognormal(0, 0.3)), user=int(at * 2) % 16) for at in np.arange(0, seconds, 0.5)]
    made += [failed(float(at), "internal", user=number % 16) for number, at in enumerate(np.linspace(1, seconds - 1, errors))]
    return Cellful(made, concurrency=16, window=(0.0, seconds))


def summary_of(made: Cellful, load: dict[str, Any]) -> dict[str, Any]:
    records, manifest = run_of([made], LIMITS)
    manifest["config"]["load"] = load
    return dict(summarise(records, manifest, pd.DataFrame())["cells"][0])


def test_blocks_are_of_windows_that_could_end_and_did() -> None:
    assert block_s_of(DECIDED, [(0.0, 500.0)]) == 5.0
    assert block_s_of(DECIDED, [(0.0, 1000.0)]) is None
    assert block_s_of(DECIDED | {"until": "fixed"}, [(0.0, 500.0)]) is None
    assert block_s_of(DECIDED | {"until": "fixed", "search": {"of": "users"}}, [(0.0, 500.0)]) == 5.0
    assert block_s_of({"until": "decided", "duration_s": 12.0}, [(0.0, 24.0)]) == 2.0
    assert block_s_of({}, [(0.0, 24.0)]) is None and block_s_of(DECIDED, []) is None


def test_no_failure_in_a_hundred_blocks_is_bounded_by_what_a_bet_on_it_has_won() -> None:
    """A bet of all on the next block without a failure grows by 1 / (1 - limit) a block, and seven tenths are bet so: they are
    35 after 100 blocks, and the wealth 50 in all, at 4.2 %."""
    ends = summary_of(cell(500.0), DECIDED)["error_rate"]["ci95"]
    assert ends == pytest.approx([0.0, 1 - (0.7 / 50) ** 0.01], rel=0.01)
    fixed = summary_of(cell(500.0), {})["error_rate"]["ci95"]
    assert fixed[1] == pytest.approx(1 - 0.025**0.001, rel=1e-6)


def test_every_interval_holds_that_of_a_fixed_window_and_is_wider() -> None:
    early, fixed = (summary_of(cell(500.0, errors=20), load) for load in (DECIDED, {}))
    pairs = [(early[key], fixed[key]) for key in ("usd_per_10k_ci95", "transactions_per_minute_ci95")]
    pairs += [(early["e2e_s"]["ci95"][name], fixed["e2e_s"]["ci95"][name]) for name in ("mean", "p50", "p90", "p95", "p99")]
    pairs += [(early[key]["ci95"], fixed[key]["ci95"]) for key in ("error_rate", "goodput")]
    for wide, narrow in pairs:
        assert wide[0] <= narrow[0] + 1e-9 and narrow[1] <= wide[1] + 1e-9
    widths = [(wide[1] - wide[0]) / (narrow[1] - narrow[0]) for wide, narrow in pairs[1:]]
    assert min(widths) > 1.2
    assert early["e2e_s"]["p95"] == fixed["e2e_s"]["p95"]


def test_an_objective_is_printed_with_the_same_interval() -> None:
    found = summary_of(cell(500.0, errors=20), DECIDED)
    judged = {item["objective"]: item for item in found["objectives"]}
    assert judged["e2e_p95_s"]["ci95"] == found["e2e_s"]["ci95"]["p95"]
    assert judged["error_rate"]["ci95"] == found["error_rate"]["ci95"]
    assert judged["e2e_p95_s"]["status"] == judged["error_rate"]["status"] == "met"
    assert judged["error_rate"]["upper"] == found["error_rate"]["ci95"][1]


def test_a_window_at_its_cap_is_as_any_other() -> None:
    capped = summary_of(cell(500.0, errors=20), DECIDED | {"max_duration_s": 500.0})
    fixed = summary_of(cell(500.0, errors=20), {})
    assert capped == fixed
