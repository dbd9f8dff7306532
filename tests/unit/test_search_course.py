"""What a search is expected to take: worked out by hand for servers that are imagined by their limit."""

from __future__ import annotations

import pytest

from fmbench.config.schema import Config
from fmbench.core.estimate import Pace, estimate
from fmbench.core.objectives import Objective
from fmbench.core.plan import plan_cells
from fmbench.core.search import SearchSpec
from fmbench.core.search_course import Setting, blocks_for, blocks_to_meet, course


def setting(highest: float, most_requests: int, cap_s: float = 1e6, around_s: float = 0.0) -> Setting:
    """Two users send one request a second; 10 blocks of 5 s show that a level meets, 6 that it does not."""
    spec = SearchSpec(lowest=1, highest=highest, most_requests=most_requests)
    return Setting(spec=spec, per_s=lambda users: users / 2, block_s=5.0, cap_s=cap_s, around_s=around_s, blocks_to_meet=10)


def test_a_search_whose_lowest_level_fails_ends_there() -> None:
    """Half a request a second for 30 s in two visits, the second to be sure, and ten seconds around each."""
    found = course(setting(64, 4000, around_s=10.0), 0.5)
    assert found.seconds == pytest.approx(50, abs=0.01) and found.requests == pytest.approx(15 + 10, abs=2)


def test_a_search_that_shows_nothing_takes_all_that_its_levels_may() -> None:
    """Of 1 and 2 users, where 1 meets and 2 does not: 100 requests each, whatever the steps are."""
    found = course(setting(2, 100), 1.4, decisive=False)
    assert found.requests == pytest.approx(200, abs=4)
    assert found.seconds == pytest.approx(100 / 0.5 + 100 / 1.0, abs=5)


def test_a_cap_of_time_makes_more_visits_and_no_fewer_requests() -> None:
    free, capped = course(setting(2, 100), 1.4, decisive=False), course(setting(2, 100, cap_s=50.0), 1.4, decisive=False)
    assert capped.requests == pytest.approx(free.requests, abs=10)


def test_an_objective_takes_so_many_blocks() -> None:
    assert blocks_for(Objective("ttft_p95_s", 1.0), 0.02) == 84
    assert blocks_for(Objective("usd_per_10k", 5.0), 0.02) == 40
    assert blocks_for(Objective("quality_min", 0.5), 0.02) is None
    assert blocks_to_meet([Objective("ttft_p95_s", 1.0), Objective("error_rate", 0.5)], 0.02) == 84


def test_the_plan_of_a_search_is_of_all_its_steps() -> None:
    """1 to 64 users, answers of a second: the limit in the middle is 8 users, which takes most; the most is bounded by
    ``most_requests`` at each of the levels that are looked at."""
    load = {"search": {"of": "users", "to": 64.0, "most_requests": 500}}
    config = Config.model_validate({"models": [{"id": "amazon.nova-lite-v1:0"}], "load": load, "objectives": {"ttft_p95_s": 1.0}})
    cells = plan_cells(config, "d", ["en_1-500"])
    found = estimate(cells, config, {"en_1-500": [100]}, lambda _: Dollar(), lambda _: Pace(1.0, 0.0))
    (row,) = found.rows
    assert row.up_to == 64.0 and 1_000 < row.requests < 12 * 500
    assert found.usd is not None
    assert found.usd.low == pytest.approx(15, abs=9), "one level of 30 s, two seconds an answer, with its warm-up"
    assert found.usd.expected == row.requests < found.usd.most < 2 * 16 * 700


class Dollar:
    def expected(self, prompt_tokens: int, output_tokens: int) -> float:
        return 1.0

    def least(self, prompt_tokens: int, output_tokens: int, cached: bool) -> float:
        return 1.0

    def bound(self, prompt_tokens: int, max_tokens: int) -> float:
        return 2.0
