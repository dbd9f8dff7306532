"""A hidden quota is found from outside. The truth is the simulator's, which shares no code with the search, on a clock of its
own.

Twenty seeds of every kind are in ``python -m benchmarks.quota``.
"""

from __future__ import annotations

import pytest

from benchmarks.quota.__main__ import attempt
from benchmarks.quota.service import BUSY, Service
from fmbench.core.quota.burst import Burst
from fmbench.core.quota.replay import Guess, Seen, fit_requests, fit_tokens
from fmbench.core.quota.search import Finding, Limits, Search, resumed, search
from fmbench.simulator.behaviour import Quota


def seen(at: float, word: str | None = None, tokens: int = 100, most: int = 0, output: int = 0, ended_at: float = 0.0) -> Seen:
    return Seen(at=at, ended_at=ended_at, input_tokens=tokens, max_tokens=most, output_tokens=output, word=word)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "hidden",
    [
        Quota(requests_per_minute=90, window="clock"),
        Quota(requests_per_minute=60, tokens_per_minute=120_000, window="rolling", burndown=5),
        Quota(requests_per_minute=200, tokens_per_minute=400_000, window="bucket", reserves_max_tokens=False, burndown=5),
        Quota(requests_per_minute=40, tokens_per_minute=150_000, window="clock"),
    ],
)
def test_what_is_hidden_is_found(hidden: Quota) -> None:
    trial = attempt(hidden, seed=3)
    assert [name for name, right in trial.right.items() if not right] == []


@pytest.mark.parametrize(
    "hidden",
    [
        Quota(requests_per_minute=80, tokens_per_minute=160_000, window="clock"),
        Quota(requests_per_minute=150, tokens_per_minute=300_000, window="rolling", burndown=5),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_found_over_a_busy_machine(hidden: Quota, seed: int) -> None:
    """Requests lag, pass others and are read late, and the machine stalls for 1.5 s a burst."""
    trial = attempt(hidden, seed, BUSY)
    assert [name for name, right in trial.right.items() if not right and name != "covers"] == []


@pytest.mark.parametrize(("requests", "tokens", "seed"), [(20, 12_830, 2), (47, 84_605, 3)])
def test_a_bucket_is_not_taken_for_smaller_where_refusals_are_read_late(requests: int, tokens: int, seed: int) -> None:
    """A rolling minute would say 17 and 39 of these logs: the sizes to be tried begin there, and do not end there."""
    trial = attempt(Quota(requests_per_minute=requests, tokens_per_minute=tokens, window="bucket"), seed, BUSY)
    assert [name for name, right in trial.right.items() if not right and name != "covers"] == []


def test_nothing_is_claimed_of_a_service_that_does_not_throttle() -> None:
    found = attempt(Quota(), seed=1).found
    assert (found.requests, found.tokens, found.window, found.reserves, found.burndown) == (None, None, None, None, None)
    assert found.most_requests == 2000


def test_a_day_that_is_used_up_is_told_by_its_words() -> None:
    found = attempt(Quota(tokens_per_day=0), seed=1).found
    assert found.daily and found.tokens is None and found.requests is None


def test_each_request_bounds_the_quota() -> None:
    """Three of a minute are let through and the fourth is not; a minute later it is again: 3 to 4 requests a minute, rolling."""
    log = [seen(0), seen(10), seen(20), seen(30, "requests"), seen(60.5), seen(61, "requests")]
    fit = fit_requests(log, "rolling")
    assert (fit.low, fit.high, fit.against) == (3, 4, 0)
    assert fit_requests(log, "clock").against == 1  # in a minute that began at 60 there would have been room


def test_what_is_reserved_counts_until_the_answer_is_over() -> None:
    """900 are reserved and 10 taken: 500 more are refused before the end, and let through after it."""
    log = [seen(0, tokens=100, most=800, output=10, ended_at=5), seen(1, "tokens", 500), seen(6, None, 500, ended_at=7)]
    fit = fit_tokens(log, [Guess(window="rolling"), Guess(window="rolling", reserves=False)])
    assert (fit[Guess(window="rolling")].low, fit[Guess(window="rolling")].high) == (900, 1400)
    assert 0 < fit[Guess(window="rolling", reserves=False)].against < 1, "610 were let through where 600 were refused: by little"


def _searched(service: Service, bursts: Search, burst: Burst) -> tuple[Finding, list[Burst], list[list[Seen]]]:
    """A search to its end: what it found, sent and saw."""
    sent, parts = [burst], [service.burst(burst)]
    while True:
        try:
            sent.append(bursts.send(parts[-1]))
        except StopIteration as ended:
            return ended.value, sent, parts
        parts.append(service.burst(sent[-1]))


def test_a_cut_search_goes_on_at_the_burst_that_was_due_or_the_one_that_it_follows() -> None:
    limits, hidden = Limits(), Quota(requests_per_minute=90, tokens_per_minute=120_000, burndown=5, window="clock")
    bursts = search(limits)
    whole, sent, parts = _searched(Service(hidden, 3), bursts, next(bursts))
    for cut in range(len(parts)):
        _, burst, place = resumed(limits, parts[:cut])
        assert burst == sent[place] and burst.quiet_s > 0
        assert place == (cut if sent[cut].quiet_s else cut - 1)
    service, parts = Service(hidden, 3), []
    for burst in sent[:5]:
        parts.append(service.burst(burst))
    bursts, burst, place = resumed(limits, parts)
    rest, more, _ = _searched(service, bursts, burst)
    assert place == 5 and len(more) < len(sent), "what is known is not asked again"
    assert (rest.burndown, rest.window, rest.reserves) == (whole.burndown, whole.window, whole.reserves) == (5, "clock", True)
    assert rest.requests is not None and rest.requests.per_minute == pytest.approx(90, rel=0.05)
