"""A search on servers whose limit the test knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.statistics.search import KINDS, find
from fmbench.core.search import Found, Level, Search, SearchSpec
from fmbench.core.sequential import Evidence

SURE = 10.0


def oracle(limit: float) -> Callable[[float], Evidence]:
    """A server that shows at once, beyond doubt, whether a level meets."""
    return lambda level: Evidence(SURE, -SURE, 1.0) if level <= limit else Evidence(-SURE, SURE, -1.0)


def run(spec: SearchSpec, answer: Callable[[float], Evidence], requests: int = 100) -> tuple[Found, list[Level]]:
    search, asked = Search(spec), []
    while isinstance(step := search.next(), Level):
        asked.append(step)
        assert len(asked) < 100
        search.observe(step.level, requests, answer(step.level))
    return step, asked


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 31, 33, 36, 63, 100])
def test_a_clear_limit_is_found_by_doubling_and_bisection(limit: int) -> None:
    found, asked = run(SearchSpec(lowest=1, highest=128), oracle(limit))
    assert found.limit is not None and found.limit <= limit <= found.limit * 1.05 + 1
    assert found.interval[0] == found.limit and found.interval[1] is not None and limit < found.interval[1]
    assert [step.level for step in asked[:2]] == [1, 2]
    assert found.requests == 100 * len(asked) <= 100 * (2 + 8 + 5)
    assert found.requests < found.grid_requests


def test_the_ends_of_the_range_are_answers_too() -> None:
    none, _ = run(SearchSpec(lowest=4, highest=64), oracle(3))
    assert (none.limit, none.interval) == (None, (0.0, 4))
    all_meet, asked = run(SearchSpec(lowest=4, highest=50), oracle(1000))
    assert (all_meet.limit, all_meet.interval) == (50, (50, None))
    assert [step.level for step in asked] == [4, 8, 16, 32, 50]


def test_rates_need_not_be_whole() -> None:
    found, _ = run(SearchSpec(lowest=30, highest=600, whole=False), oracle(217.3))
    assert found.limit is not None and found.limit <= 217.3 < found.limit * 1.05


def test_what_no_visit_can_tell_ends_at_the_most_requests_of_a_level() -> None:
    """From 20 users on nothing is shown, though it leans one way: the interval says so."""

    seen: set[float] = set()

    def unsure(level: float) -> Evidence:
        first = level not in seen
        seen.add(level)
        return oracle(0)(level) if level > 40 else oracle(999)(level) if level < 20 else Evidence(float(first), 0.0, 30.0 - level)

    found, asked = run(SearchSpec(lowest=1, highest=128, most_requests=1000), unsure)
    assert found.limit is not None and 28 <= found.limit <= 30
    assert found.interval[0] < 20 and found.interval[1] is not None and found.interval[1] > 40
    spent: dict[float, int] = {}
    for step in asked:
        spent[step.level] = spent.get(step.level, 0) + 100
    assert max(spent.values()) <= 1000


def test_a_level_that_does_not_hold_is_given_up() -> None:
    visits: dict[float, int] = {}

    def lucky_first(level: float) -> Evidence:
        visits[level] = visits.get(level, 0) + 1
        return Evidence(3.0, 0.0, 5.0) if level == 16 and visits[level] == 1 else oracle(11)(level)

    found, asked = run(SearchSpec(lowest=1, highest=64), lucky_first)
    assert found.limit == 11
    assert any(step.purpose == "holding" for step in asked)


def test_a_level_ends_when_it_with_its_earlier_visits_has_shown_enough() -> None:
    level = Level(8, "holding", 500, 0.025, Evidence(2.0, 0.0))
    assert not level.enough(Evidence(1.6, 0.0)) and level.enough(Evidence(1.7, 0.0))


def test_simulated_servers_are_searched_well() -> None:
    """The short form of ``benchmarks/statistics/search.py``: twelve servers of four kinds."""
    rng = np.random.default_rng(3)
    near, false = 0, 0
    for number in range(12):
        server = KINDS[number % 4](rng)
        truth, found = server.truth(64), find(rng, server, 64, 4000)
        near += abs((found.limit or 0) - truth) <= max(0.1 * truth, 1)
        false += found.interval[0] > max(1.1 * truth, truth + 1)
    assert near >= 10 and false == 0
