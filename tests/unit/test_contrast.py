"""The test of a difference: against scipy, against simulation with a known truth, and where the answer is plain."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fmbench.core.clusters import numbered, part_of, satterthwaite
from fmbench.core.contrast import Side, of_flags, of_mean, of_quantile


def lognormal(rng: np.random.Generator, count: int, factor: float = 1.0) -> Side:
    return Side(factor * rng.lognormal(0, 0.5, count))


def by_prompt(rng: np.random.Generator, factor: float, own: float, times: int = 4, prompts: int = 100) -> Side:
    """Each prompt has a cost of its own, the same in each run, and each answer scatters by ``own`` around it."""
    usual = np.random.default_rng(9).lognormal(0, 0.45, prompts)
    labels = np.tile(np.arange(prompts), times)
    return Side(factor * usual[labels] * rng.lognormal(0, own, len(labels)), prompts=labels)


def test_two_means_are_told_apart_as_student_and_welch_do() -> None:
    rng = np.random.default_rng(1)
    a, b = Side(rng.normal(10, 1, 200)), Side(rng.normal(10.2, 1, 150))
    found = of_mean(a, b)
    assert found is not None
    assert found.p == pytest.approx(stats.ttest_ind(a.values, b.values, equal_var=False).pvalue, rel=0.1)


def test_repeats_are_told_apart_by_student_s_t_of_their_figures() -> None:
    rng = np.random.default_rng(2)
    levels = np.exp(rng.normal(0, 0.3, (2, 5)))
    sides = [Side(np.repeat(side, 40) * rng.lognormal(0, 0.1, 200), runs=np.repeat(np.arange(5), 40)) for side in levels]
    found = of_mean(*sides)
    logs = [np.log(side.values.reshape(5, 40).mean(axis=1)) for side in sides]
    assert found is not None and found.p == pytest.approx(stats.ttest_ind(*logs).pvalue, rel=1e-6)


def test_twice_as_slow_is_as_sure_as_it_is_far_however_the_run_was_repeated() -> None:
    rng = np.random.default_rng(3)
    once = of_quantile(lognormal(rng, 100), lognormal(rng, 100, 2.0), 0.5)
    runs = np.repeat(np.arange(5), 40)
    repeated = of_quantile(Side(rng.lognormal(0, 0.5, 200), runs=runs), Side(2 * rng.lognormal(0, 0.5, 200), runs=runs), 0.5)
    assert once is not None and once.p < 1e-6
    assert repeated is not None and repeated.p < 1e-3
    assert once.interval[0] < 1 < once.interval[1]


def test_equals_are_seldom_told_apart_and_the_interval_holds_the_change() -> None:
    """100 comparisons each: a two-sided 5 % test errs in at most 11 of them (else p < 0.01)."""
    rng = np.random.default_rng(4)
    alarms, held = dict.fromkeys(("p50", "p95", "mean", "flags", "paired"), 0), 0
    for _ in range(100):
        a, b = lognormal(rng, 150), lognormal(rng, 150)
        flags = [Side((rng.random(300) < 0.03).astype(float)) for _ in range(2)]
        made = {"p50": of_quantile(a, b, 0.5), "p95": of_quantile(a, b, 0.95), "mean": of_mean(a, b), "flags": of_flags(*flags)}
        made["paired"] = of_quantile(by_prompt(rng, 1.0, 0.15), by_prompt(rng, 1.0, 0.15), 0.5)
        for name, found in made.items():
            assert found is not None
            alarms[name] += found.p < 0.05
        held += made["p50"].interval[0] <= 0 <= made["p50"].interval[1]  # type: ignore[union-attr]
    assert max(alarms.values()) <= 11 and held >= 89


def test_ten_per_cent_at_the_median_is_found_where_prompts_are_paired() -> None:
    """400 requests a run; what is claimed of eight figures together has to hold at 0.05 / 8."""
    rng, found = np.random.default_rng(5), 0
    for _ in range(30):
        contrast = of_quantile(by_prompt(rng, 1.0, 0.12), by_prompt(rng, 1.1, 0.12), 0.5)
        assert contrast is not None and contrast.paired
        found += contrast.p < 0.05 / 8
    assert found >= 27


def test_three_per_cent_dearer_is_found_by_prompt_and_not_without() -> None:
    rng = np.random.default_rng(6)
    a, b = by_prompt(rng, 1.0, 0.05), by_prompt(rng, 1.03, 0.05)
    paired, apart = of_mean(a, b), of_mean(Side(a.values), Side(b.values))
    assert paired is not None and apart is not None
    assert paired.p < 0.001 < 0.1 < apart.p
    assert paired.interval[0] < 0.03 < paired.interval[1] and paired.interval[1] - paired.interval[0] < 0.03


def test_equal_costs_do_not_differ_by_the_rounding_of_floats() -> None:
    a = Side(np.full(50, 0.1) + 0.0)
    b = Side(np.full(60, 0.1 + 1e-17 * 3))
    found = of_mean(a, b)
    assert found is not None and found.p == 1 and found.change == pytest.approx(0, abs=1e-9)


def test_few_failures_are_judged_by_the_binomial() -> None:
    """None of 400 against 4 of 400: of four failures all on one side, half of 2 / 16 (mid-p)."""
    a, b = (Side(np.isin(np.arange(400), places).astype(float)) for places in ([], [50, 180, 230, 370]))
    found = of_flags(a, b)
    assert found is not None and found.p == pytest.approx(2 * 0.5 * 0.5**4, rel=0.05)
    assert found.interval[0] < 0 < found.change == 0.01 < found.interval[1]


def test_a_limit_is_tested_and_not_only_zero() -> None:
    """Truly 9 % slower: above 0 beyond doubt, and not beyond 10 %."""
    rng = np.random.default_rng(7)
    found = of_quantile(lognormal(rng, 6000), lognormal(rng, 6000, 1.09), 0.5)
    assert found is not None
    above, below = found.chances(0.1)
    assert found.chances(0.0)[0] < 1e-4 and above > 0.05
    assert above + below == pytest.approx(1, abs=0.02)


def test_users_that_differ_widen_what_few_of_them_can_tell() -> None:
    rng = np.random.default_rng(8)
    users = np.tile(np.arange(16), 60)
    alike, unlike = rng.normal(0, 1, 960), rng.normal(0, 1, 960) + rng.normal(0, 1, 16)[users]
    within = np.arange(960) // 60
    small, large = part_of(alike - alike.mean(), users, within), part_of(unlike - unlike.mean(), users, within)
    assert small is not None and large is not None
    # 60 requests a user, of whose variance about a half is the user's: 1 + 59 × 0.5 times the variance of the mean
    assert small.effect < 1 and large.effect == pytest.approx(59 * 0.5, rel=0.5) and 11 < large.freedom <= 15
    whole = satterthwaite([small, large])
    assert whole.effect == small.effect + large.effect and whole.freedom <= 20


def test_labels_are_numbered_by_row() -> None:
    assert numbered(np.array([0, 0, 1, 0]), np.array([5, 7, 5, 5])).tolist() == [0, 1, 2, 0]


def test_as_many_failures_in_each_repeat_are_no_certainty() -> None:
    """0 of 400 against one in each of five repeats of 80: by the binomial 2 / 2^5, however alike the repeats happen to be."""
    runs = np.repeat(np.arange(5), 80)
    none, one = np.zeros(400), (np.arange(400) % 80 == 7).astype(float)
    found = of_flags(Side(none, runs=runs), Side(one, runs=runs))
    assert found is not None and found.p == pytest.approx(2 / 2**5, rel=0.5)
