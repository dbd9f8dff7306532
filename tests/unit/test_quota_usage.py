"""What a cell takes of a quota, by arithmetic on a few requests."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from fmbench.core.quota.tokens import Quota, burndown_of
from fmbench.core.quota.usage import endpoint_of, quota_for, quota_use
from fmbench.core.table import Rows, read

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def rows(count: int, throttled: int = 0, **more: Any) -> Rows:
    one = {
        "cell": 0,
        "outcome": "ok",
        "sent_at": 1.0,
        "prompt_tokens": 90,
        "input_tokens": 100,
        "output_tokens": 20,
        "max_tokens": 500,
    }
    lost = {"outcome": "failed", "failure": "throttled_tokens", "input_tokens": None, "output_tokens": None}
    return read(pd.DataFrame([one | more] * count + [one | lost] * throttled)).rows


def test_admission_settlement_and_what_a_smaller_max_tokens_frees() -> None:
    """Ten requests in half a minute: 600 tokens reserved and 100 + 20 x 5 settled each, twice as many a minute."""
    found = quota_use("s", SONNET, "b", 4, rows(10), 30.0, Quota(tpm=100_000, burndown=5))
    assert found is not None
    assert (found.admitted_tpm, found.settled_tpm, found.requests_per_min) == (12_000, 4_000, 20)
    assert (found.admitted_share, found.limit) == (pytest.approx(0.12), "model")
    assert found.freed_share == pytest.approx(480 / 600)


def test_cached_tokens_are_reserved_and_given_back() -> None:
    found = quota_use("s", SONNET, "b", 1, rows(1, cache_read_tokens=1000, cache_write_tokens=50), 60.0, Quota(burndown=1))
    assert found is not None
    assert (found.admitted_tpm, found.settled_tpm) == (100 + 1000 + 50 + 500, 100 + 50 + 20)


def test_what_was_throttled_says_that_the_quota_is_the_limit() -> None:
    found = quota_use("s", SONNET, "b", 1, rows(90, throttled=10), 60.0, None)
    assert found is not None
    assert (found.limit, found.throttled_share, found.throttled["throttled_tokens"]) == ("quota", pytest.approx(0.1), 10)
    assert found.requests_per_min == 90


def test_a_quota_of_requests_can_be_near() -> None:
    found = quota_use("s", SONNET, "b", 1, rows(90), 60.0, Quota(rpm=100))
    assert found is not None and found.limit == "near"
    assert quota_use("s", SONNET, "b", 1, rows(90), 60.0, None).limit is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("model_id", "weight"),
    [
        (SONNET, 5),
        ("anthropic.claude-opus-4-8", 15),
        ("global.anthropic.claude-opus-5", 10),
        ("us.openai.gpt-5.6-luna", 10),
        ("us.openai.gpt-6-astra", 10),
        ("us.moonshotai.kimi-k3.1", 10),
        ("us.anthropic.claude-opus-6-1", 10),
        ("us.openai.gpt-7-sol", 10),
        ("anthropic.claude-3-5-haiku-20241022-v1:0", 1),
        ("openai.gpt-oss-120b-1:0", 1),
        ("us.openai.gpt-5.4", 1),
        ("us.amazon.nova-lite-v1:0", 1),
    ],
)
def test_the_burndown_is_of_the_model_and_the_configuration_wins(model_id: str, weight: float) -> None:
    assert burndown_of(model_id) == weight
    assert quota_for({"config": {"quota": {"m": {"tpm": 5}}}}, "m", model_id) == Quota(tpm=5, burndown=weight)
    assert quota_for({"config": {"quota": {model_id: {"rpm": 5, "burndown": 3}}}}, "m", model_id) == Quota(rpm=5, burndown=3)


def test_on_mantle_every_output_token_counts_once() -> None:
    models = [{"id": SONNET, "label": "m", "endpoint": "mantle"}]
    manifest = {"config": {"quota": {"m": {"tpm": 5}}, "models": models}}
    assert endpoint_of(manifest, "m") == "mantle"
    assert quota_for(manifest, "m", SONNET, "mantle") == Quota(tpm=5, burndown=1)
    assert quota_for(manifest, "m", SONNET, "runtime") == Quota(tpm=5, burndown=5)
    found = quota_use("m", SONNET, "b", 1, rows(10), 60.0, None, "mantle")
    assert found is not None and found.settled_tpm == quota_use("m", "x", "b", 1, rows(10), 60.0, None).settled_tpm  # type: ignore[union-attr]


def test_what_the_configuration_leaves_out_is_as_the_account_has_it() -> None:
    told = {"tpm": 9.0, "rpm": 8.0, "tpd": None, "burndown": 5.0, "source": "service-quotas"}
    manifest = {"quotas": {"m": told}}
    assert quota_for(manifest, "m", "x") == Quota(tpm=9, rpm=8, burndown=5, source="service-quotas")
    assert quota_for({**manifest, "config": {"quota": {"m": {"tpm": 5, "burndown": 2}}}}, "m", "x") == Quota(
        tpm=5, rpm=8, burndown=2, source="config + service-quotas"
    )
    assert quota_for(manifest, "another", "x") is None


def test_a_route_has_the_quota_of_its_model() -> None:
    models = [{"label": "m (priority)", "id": "x", "route": "priority", "route_of": "m"}]
    manifest = {"config": {"models": models, "quota": {"m": {"rpm": 7}}}}
    assert quota_for(manifest, "m (priority)", "x") == Quota(rpm=7)
