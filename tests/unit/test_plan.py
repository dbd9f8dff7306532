"""The plan follows from the configuration and the seed, and is the same for each model and any number of workers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmbench.config.schema import Budget, Config
from fmbench.core.estimate import Pace, estimate
from fmbench.core.plan import Plan, PromptFile, deal_slots, plan_cells, prompt_at
from fmbench.core.prices.book import PriceBook


def a_config(**load: Any) -> Config:
    models = [{"id": "vendor.a", "label": "a"}, {"id": "vendor.b"}]
    return Config.model_validate({"models": models, "inference": {"max_tokens": 100}, "load": {"concurrency": [1, 4], **load}})


def test_cells_are_models_by_buckets_by_levels_in_order() -> None:
    cells = plan_cells(a_config(), "d", ["en_1-500", "en_500-1000"])
    assert [(cell.model, cell.bucket, cell.concurrency) for cell in cells] == [
        ("a", "en_1-500", 1), ("a", "en_1-500", 4), ("a", "en_500-1000", 1), ("a", "en_500-1000", 4),
        ("vendor.b", "en_1-500", 1), ("vendor.b", "en_1-500", 4), ("vendor.b", "en_500-1000", 1), ("vendor.b", "en_500-1000", 4),
    ]  # fmt: skip
    assert [cell.number for cell in cells] == list(range(8))
    assert {cell.model: cell.model_id for cell in cells} == {"a": "vendor.a", "vendor.b": "vendor.b"}


def test_interleaved_models_take_turns_and_change_who_is_first() -> None:
    cells = plan_cells(a_config(order="interleaved", repeats=2, concurrency=[2]), "d", ["en_1-500"])
    assert [(cell.model, cell.block) for cell in cells] == [("a", 0), ("vendor.b", 0), ("vendor.b", 1), ("a", 1)]


def test_a_plan_survives_its_file() -> None:
    files = [PromptFile(bucket="zh_1-500", file="prompts/payload_zh_1-500.jsonl", sha256="0" * 64, count=3)]
    endpoint = {"url": "https://127.0.0.1:1", "ca_bundle": "/ca ü.pem"}
    plan = Plan(run_id="r", cells=plan_cells(a_config(), "d", ["zh_1-500"]), prompts=files, endpoint=endpoint)
    assert Plan.from_json(plan.to_json()) == plan


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 40), max_size=9))
def test_every_slot_is_dealt_once(users: dict[str, int]) -> None:
    dealt = deal_slots(users)
    assert {worker: len(slots) for worker, slots in dealt.items()} == users
    assert sorted(slot for slots in dealt.values() for slot in slots) == list(range(sum(users.values())))


@given(seed=st.integers(0, 99), concurrency=st.integers(1, 20), count=st.integers(1, 30))
def test_users_walk_through_one_deck_together(seed: int, concurrency: int, count: int) -> None:
    rounds = 2 * count
    sent = [prompt_at(seed, "en_1-500", slot, k, concurrency, count) for k in range(rounds) for slot in range(concurrency)]
    for start in range(0, len(sent), count):
        deck = sent[start : start + count]
        assert max(Counter(deck).values()) == 1
    assert Counter(sent) == dict.fromkeys(range(count), 2 * concurrency)


def test_another_seed_or_bucket_is_another_order() -> None:
    def order(seed: int, bucket: str) -> list[int]:
        return [prompt_at(seed, bucket, 0, k, 1, 50) for k in range(50)]

    assert order(1, "en_1-500") == order(1, "en_1-500")
    assert order(1, "en_1-500") != order(2, "en_1-500")
    assert order(1, "en_1-500") != order(1, "en_500-1000")


class OneDollarAMillion:
    """A long prompt costs ten times as much."""

    def expected(self, prompt_tokens: int, output_tokens: int) -> float:
        return (10 if prompt_tokens > 500 else 1) * (prompt_tokens + output_tokens) / 1e6

    def least(self, prompt_tokens: int, output_tokens: int, cached: bool) -> float:
        assert not cached
        return self.expected(prompt_tokens, output_tokens)

    def bound(self, prompt_tokens: int, max_tokens: int) -> float:
        return 2 * self.expected(prompt_tokens, max_tokens)


@pytest.mark.parametrize(
    ("cache", "prompt_usd"),
    [("salt", 1.0), ("allow", 0.1), ({"mode": "cold"}, 1.0), ({"mode": "hit"}, 0.1), ({"mode": "write"}, 0.1)],
)
def test_what_may_be_read_from_a_cache_is_in_the_range(cache: object, prompt_usd: float) -> None:
    """74 requests as below, of 400 prompt tokens and 50 of an answer; a hit costs a tenth."""
    load = {"concurrency": [4], "warmup_s": 5, "duration_s": 30}
    pricing = {"a": {"input": 1, "output": 1, "cache_read": 0.1}}
    config = Config.model_validate(
        {"models": [{"id": "a"}], "inference": {"max_tokens": 100}, "load": load, "cache": cache, "pricing": pricing}
    )
    price = PriceBook(config.pricing, "us-east-1").of_model(config, config.models[0])
    cells = plan_cells(config, "d", ["en_1-500"])
    found = estimate(cells, config, {"en_1-500": [400]}, lambda _: price, lambda _: Pace(0.5, 0.01))
    assert found.usd is not None
    assert found.usd.low == pytest.approx(74 * (400 * prompt_usd + 50) / 1e6)
    assert found.usd.expected == pytest.approx(97 * 500 / 1e6)


def test_an_estimate_by_hand() -> None:
    config = a_config(concurrency=[4], warmup_s=5, duration_s=30)
    cells = plan_cells(config, "d", ["en_1-500"])
    book = {"a": OneDollarAMillion(), "vendor.b": None}
    found = estimate(cells, config, {"en_1-500": [300, 500]}, book.__getitem__, lambda _: Pace(0.5, 0.01))
    # an answer takes 0.5 + 100 * 0.01 = 1.5 s; 4 users * 35 s / 1.5 s = 93.3, and 4 that are in flight at the end
    assert [row.requests for row in found.rows] == [97, 97]
    assert found.input_tokens == 2 * 97 * 400
    assert found.output_tokens == 2 * 97 * 100
    assert found.seconds == pytest.approx(2 * 36.5)
    assert found.usd is not None
    assert found.usd.expected == pytest.approx(97 * 500 / 1e6)
    # low: 2 * (0.5 + 50 * 0.01) = 2 s an answer, 50 tokens long: 4 * 35 / 2 + 4 = 74 requests
    assert found.usd.low == pytest.approx(74 * 450 / 1e6)
    # most: 0.75 s an answer: 4 * 35 / 0.75 + 4 = 190.67, each at its bound
    assert found.usd.most == pytest.approx(191 * 1000 / 1e6)
    assert found.unpriced == ["vendor.b"]


def test_what_retries_may_take_is_in_the_most_alone() -> None:
    plain = a_config(concurrency=[4], warmup_s=5, duration_s=30)
    tried = a_config(concurrency=[4], warmup_s=5, duration_s=30, retry={"attempts": 5})
    sizes = {"en_1-500": [300]}
    once, again = (estimate(plan_cells(c, "d", [*sizes]), c, sizes, lambda _: OneDollarAMillion()) for c in (plain, tried))
    assert once.usd is not None and again.usd is not None
    assert (again.requests, again.usd.low, again.usd.expected) == (once.requests, once.usd.low, once.usd.expected)
    assert again.usd.most == pytest.approx(5 * once.usd.most) and (once.attempts, again.attempts) == (1, 5)


def test_requests_are_priced_one_by_one_and_never_by_their_mean() -> None:
    config = a_config(concurrency=[1], warmup_s=0, duration_s=10, min_requests=0)
    cells = plan_cells(config, "d", ["en_1-500"])[:1]
    found = estimate(cells, config, {"en_1-500": [100, 700]}, lambda _: OneDollarAMillion(), lambda _: Pace(0.0, 0.01))
    # 1 s an answer: 11 requests; the mean prompt of 400 is a short one, half of the prompts are not
    assert found.usd is not None
    assert found.usd.expected == pytest.approx(11 * (200 + 10 * 800) / 2 / 1e6)


def test_no_sum_passes_the_budget() -> None:
    config = a_config(concurrency=[4]).model_copy(update={"budget": Budget(max_usd=0.02)})
    cells = plan_cells(config, "d", ["en_1-500"])
    found = estimate(cells, config, {"en_1-500": [400]}, lambda _: OneDollarAMillion())
    assert found.usd is not None and found.usd.most == found.usd.expected == 0.02


def test_a_slow_cell_is_expected_to_be_extended_up_to_the_cap() -> None:
    config = a_config(concurrency=[1], warmup_s=0, duration_s=10, min_requests=20, max_duration_s=15)
    cells = plan_cells(config, "d", ["en_1-500"])[:1]
    found = estimate(cells, config, {"en_1-500": [1]}, lambda _: None, lambda _: Pace(0.0, 0.01))
    assert found.rows[0].seconds == pytest.approx(15 + 1)
    assert found.usd is None
