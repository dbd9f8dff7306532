"""A run that searched for a quota answers with the quota, not with objectives that nobody set."""

from __future__ import annotations

from typing import Any

from fmbench.report.quota_words import quota_sentences
from fmbench.report.summary import closing_line


def a_search(**quota: Any) -> dict[str, Any]:
    found = {
        "requests_per_min": {"per_minute": 600.0, "ci95": [580.0, 611.0]},
        "tokens_per_min": None,
        "throttled_by": ["requests"],
        "window": "clock",
        "reserves_max_tokens": None,
        "burndown": None,
        "contradicted": 0,
        "most_requests_per_min": 700.0,
        "most_tokens_per_min": 9000.0,
    }
    return {"model": "nova", "bucket": "en_1-500", "of": "quota", "requests": 900, "finished": True, "quota": found | quota}


def a_summary(*searches: dict[str, Any], verdict: str = "PASS") -> dict[str, Any]:
    reason = "No model meets the objectives: error rate."
    return {"search": [*searches], "recommendation": None, "recommendation_reason": reason, "validity": {"verdict": verdict}}


def test_the_closing_line_of_a_search_for_a_quota_is_the_quota() -> None:
    assert closing_line(a_summary(a_search())) == "nova: throttled from 600 (580–611) requests a minute on."
    assert closing_line(a_summary(a_search(), verdict="INVALID")).startswith("No answer: the run is INVALID")
    assert closing_line(a_summary()) == "No recommendation: No model meets the objectives: error rate."


def test_how_a_quota_works_is_said_where_it_is_known() -> None:
    tokens = {"per_minute": 40_000.0, "ci95": [39_000.0, None]}
    both = a_search(tokens_per_min=tokens, reserves_max_tokens=True, burndown=5.0, throttled_by=["daily", "requests", "tokens"])
    assert quota_sentences(a_summary(both)) == [
        "nova: throttled from 600 (580–611) requests a minute and 40,000 (39,000–∞) tokens a minute on. `max_tokens` is reserved "
        "at admission. An output token takes 5 of the quota. A daily quota throttled."
    ]
    nothing = a_search(requests_per_min=None, throttled_by=[])
    assert quota_sentences(a_summary(nothing)) == ["nova: nothing was throttled up to 700 requests and 9,000 tokens a minute."]


def test_a_search_that_its_requests_contradict_says_so() -> None:
    assert quota_sentences(a_summary(a_search(contradicted=10)))[0].endswith(
        "10 requests of 900 fit no such quota: others share it, or it works otherwise."
    )
