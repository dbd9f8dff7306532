"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from fmbench.report.names import short_names
from fmbench.report.numbers import count, interval, listed, plain, plural, seconds, share, usd
from fmbench.report.wording import amount, digits

THIN = "\u202f"
TO = "\u2013"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.021449, "0.0214"),
        (0.9996, "1.00"),
        (9.996, "10.0"),
        (1.2149, "1.21"),
        (12.34, "12.3"),
        (999.6, "1,000"),
        (14212.0, "14,200"),
        (-0.5, "-0.500"),
    ],
)
def test_three_significant_digits(value: float, shown: str):
    assert digits(value) == shown


def test_a_duration_is_in_milliseconds_under_a_tenth_of_a_second():
    assert seconds(0.0214) == f"21.4{THIN}ms"
    assert seconds(0.482) == f"0.482{THIN}s"
    assert seconds(0) == f"0{THIN}s"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (1, "100"), (0.994, "99.4"), (0.9999, "99.99"), (0.00002, "0.002"), (0.5, "50.0"), (0.99951, "99.95")],
)
def test_a_share_never_reaches_0_or_100_per_cent_by_rounding(value: float, shown: str):
    assert share(value) == f"{shown}{THIN}%"


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "$0.00"), (1.869, "$1.87"), (20.4, "$20.40"), (0.004123, "$0.00412"), (12345.6, "$12,346")]
)
def test_dollars(value: float, shown: str):
    assert usd(value) == shown == amount(value, "$")  # the page and the summary's sentences say the same


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (9.9999999, "s", "10.0 s"),
        (0.02, "s", "20.0 ms"),
        (30.854, "$", "$30.85"),
        (9.9999999, "$", "$10.00"),
        (512.4, "/min", "512 /min"),
    ],
)
def test_amounts_in_the_summarys_sentences(value: float, unit: str, shown: str):
    assert amount(value, unit) == shown


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_what_is_not_known_is_a_dash(nothing: float | None):
    assert {form(nothing) for form in (seconds, share, usd, count, plain)} == {"—"}


def test_an_interval_stands_in_the_unit_of_its_figure():
    assert interval([0.01, 0.0234], 0.02) == f"(10.0{TO}23.4)"
    assert interval([1.08, 1.334], 1.21) == f"(1.08{TO}1.33)"
    assert interval([0.978, 0.9999], 0.994, "%") == f"(97.8{TO}99.99)"
    assert interval(None, 1.0) == interval([None, 2.0], 1.0) == ""


def test_lists_and_plurals():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert [plural(1, "user"), plural(2000, "user")] == ["1 user", "2,000 users"]


def test_short_names_are_short_and_distinct():
    labels = [
        "nova",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
        "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/" + "x" * 60,
        "arn:aws:bedrock:eu-west-1:123456789012:provisioned-model/" + "x" * 60,
    ]
    names = short_names(labels)
    assert len(set(names.values())) == len(labels)
    assert names["nova"] == "nova"
    assert names[labels[3]] == "profile a1b2c3d4e5f6"
    assert all(len(name) <= 30 for name in names.values())
    assert "claude-haiku-4-5" in short_names(labels[1:2]).values()
