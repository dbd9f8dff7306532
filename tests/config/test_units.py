"""Numbers with a unit, and what to write instead."""

from __future__ import annotations

import pytest

from tests.config.reading import MODELS, refusal


@pytest.mark.parametrize(
    ("line", "cure"),
    [
        ("load: {duration_s: 30s}", "write 30, in seconds"),
        ("load: {duration_s: 2 min}", "write 120, in seconds"),
        ("load: {warmup_s: 1h}", "write 3600, in seconds"),
        ("load: {min_requests: 1k}", "write 1000, without a unit"),
        ("objectives: {ttft_p95_s: 1500ms}", "write 1.5, in seconds"),
        ("objectives: {ttft_p95_ms: 1500}", 'did you mean "ttft_p95_s", in seconds: 1.5?'),
        ("objectives: {error_rate: 5%}", "write 0.05, a share of 1"),
        ("objectives: {error_rate: 5}", "write 1 or less: 5 % is 0.05"),
        ("objectives: {usd_per_10k: $5}", "write 5, without a unit"),
        ("budget: {max_requests: '20,000'}", "write 20000, without quotes or commas"),
        ("seed: '7'", "write 7, without quotes"),
        ("inference: {temperature: 50%}", "write one, such as 1.5"),
        ("load: {duration_s: 5 apples}", "write one, such as 1.5"),
        ("load: {min_requests: 5s}", "write one, such as 10"),
    ],
)
def test_a_number_with_a_unit_is_told_as_the_key_takes_it(line: str, cure: str):
    assert cure in refusal(MODELS + line)
