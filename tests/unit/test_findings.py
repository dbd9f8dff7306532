"""Each doubt about a run is found when it is there, is graver when it is graver, and names its cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fmbench.core.reconcile import counts_by_name, differences
from fmbench.core.table import read
from fmbench.report.summary import say
from tests.unit.made import T0, Cellful, failed, row, run_of, summarise

QUIET = pd.DataFrame({"at": [T0 + second + 0.5 for second in range(10)], "worker": "w0", "lag_p99_s": 0.0005, "cpu": 0.3})


def steady_rows(count: int = 100, e2e: float = 0.1, **given: Any) -> list[dict[str, Any]]:
    """One user that never rests for 10 s."""
    values = e2e * np.random.default_rng(1).lognormal(0, 0.05, count)
    at = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    return [row(float(sent), float(value), **given) for sent, value in zip(at, values, strict=True)]


def validity_of(cells: list[Cellful], health: pd.DataFrame = QUIET, **manifest: Any) -> dict[str, Any]:
    records, made = run_of(cells, {}, **manifest)
    return dict(summarise(records, made, health)["validity"])


def found(validity: dict[str, Any], subject: str) -> list[dict[str, Any]]:
    return [finding for finding in validity["findings"] if finding["subject"] == subject]


def test_a_good_run_passes_without_findings() -> None:
    sent = {
        "accounting": {"sent": 100, "ok": 100, "lost": 0, "abandoned": 0, "dropped": 0},
        "locust": {"requests": 100, "failures": 0},
    }
    assert validity_of([Cellful(steady_rows())], **sent, ended="done") == {"verdict": "PASS", "findings": []}


def test_a_rate_too_low_for_its_window_is_no_failure() -> None:
    records, manifest = run_of([Cellful([], concurrency=16, line={"rate_per_min": 0.5})])
    summary = summarise(records, manifest, QUIET)
    (finding,) = found(summary["validity"], "requests")
    assert finding["severity"] == "error" and "No request was due in a measured window" in finding["message"]
    assert "no request was due in so short a window" in summary["recommendation_reason"]
    (other,) = found(validity_of([Cellful([failed(1.0, "reset_in_stream")])]), "requests")
    assert "No request was answered" in other["message"] and "See the failures" in other["message"]


@pytest.mark.parametrize(
    ("cell", "load", "says"),
    [
        (Cellful([]), {"think_time_s": 60.0}, "No request was sent in a measured window: users thought all the time."),
        (Cellful([]), {}, "users waited for answers to earlier requests all the time. Raise load.duration_s"),
        (Cellful([row(-0.5, phase="warmup")]), {"think_time_s": None}, "No request was sent in a measured window"),
        (Cellful([row(1.0, outcome="abandoned", ended_at=None)]), {}, "and none failed: there is nothing to report"),
        (
            Cellful([row(1.0, outcome="dropped", sent_at=None)], concurrency=4, line={"rate_per_min": 60.0}),
            {"rate_per_min": [60.0]},
            "No request of a measured window could be started",
        ),
    ],
)
def test_a_run_without_answers_and_without_failures_sends_nobody_to_look_for_failures(
    cell: Cellful, load: dict[str, Any], says: str
) -> None:
    records, manifest = run_of([cell])
    manifest["config"] = (manifest.get("config") or {}) | {"load": {**((manifest.get("config") or {}).get("load") or {}), **load}}
    (finding,) = found(summarise(records, manifest, QUIET)["validity"], "requests")
    assert says in finding["message"] and "See the failures" not in finding["message"]


@pytest.mark.parametrize(
    ("manifest", "subject", "severity"),
    [
        ({"accounting": {"sent": 1000, "lost": 1}}, "accounting", "warning"),
        ({"accounting": {"sent": 1000, "lost": 50}}, "accounting", "error"),
        ({"accounting": {"sent": 1000, "abandoned": 3}}, "accounting", "warning"),
        ({"accounting": {"sent": 1000, "dropped": 3}}, "accounting", "warning"),
        ({"ended": "budget", "message": "the budget of $1 is spent"}, "load", "warning"),
        ({"ended": "worker_lost"}, "workers", "error"),
        ({"workers": [{"id": "w3", "lost": True}]}, "workers", "error"),
        ({"ended": "worker_lost", "workers": [{"id": "w3", "lost": True, "silent": True}]}, "workers", "error"),
        ({"locust": {"requests": 99, "failures": 0}}, "counts", "warning"),
        ({"locust": {"counts": {"a|en_1-500|1|measure": {"requests": 100, "failures": 1}}}}, "counts", "warning"),
        ({"warnings": ["bucket en_1-500 has 3 prompts (asked 50)"]}, "prompts", "note"),
    ],
)
def test_what_the_manifest_tells(manifest: dict[str, Any], subject: str, severity: str) -> None:
    validity = validity_of([Cellful(steady_rows())], **manifest)
    assert [finding["severity"] for finding in found(validity, subject)] == [severity]
    assert validity["verdict"] == {"error": "INVALID", "warning": "DEGRADED", "note": "PASS"}[severity]


@pytest.mark.parametrize(("lag", "severity"), [(0.004, None), (0.02, "warning"), (0.2, "error")])
def test_instrument_lag_is_held_against_the_latencies(lag: float, severity: str | None) -> None:
    # ttft is a quarter of 0.1 s: 5 % of it is 1.25 ms, below the floor of 5 ms; half of it is 12.5 ms
    latencies = [Cellful(steady_rows(e2e=0.1))] if lag != 0.02 else [Cellful(steady_rows(e2e=0.8), window=(0.0, 80.0))]
    health = QUIET.assign(lag_p99_s=lag)
    assert [finding["severity"] for finding in found(validity_of(latencies, health), "instrument")] == (
        [severity] if severity else []
    )


def test_what_a_process_did_between_cells_is_no_matter() -> None:
    before = QUIET.assign(at=T0 - 30.0, lag_p99_s=3.0, cpu=1.0)
    assert not found(validity_of([Cellful(steady_rows())], pd.concat([before, QUIET])), "instrument")


def test_a_busy_load_process() -> None:
    assert "97 %" in found(validity_of([Cellful(steady_rows())], QUIET.assign(cpu=0.97)), "load process")[0]["message"]


def test_fewer_in_flight_than_asked() -> None:
    message = found(validity_of([Cellful(steady_rows(), concurrency=2)]), "concurrency")[0]["message"]
    assert "1.0 of 2" in message


def test_users_that_pause_after_failures_are_no_fault_of_the_load_process() -> None:
    rows = steady_rows(100, 0.02) + [failed(3.0 + 0.5 * k, "throttled_requests") for k in range(10)]
    [finding] = found(validity_of([Cellful(rows, concurrency=1)]), "concurrency")
    assert finding["severity"] == "note" and "pause after a failure" in finding["message"]


def test_late_starts() -> None:
    rows = [made | {"intended_at": made["sent_at"] - 0.05} for made in steady_rows()]
    assert "50.0 ms" in found(validity_of([Cellful(rows)]), "start delay")[0]["message"]


def test_a_window_that_began_too_early() -> None:
    values = np.random.default_rng(2).lognormal(-2.5, 0.05, 100)
    values[:25] *= 4
    at = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    rows = [row(float(sent), float(value)) for sent, value in zip(at, values, strict=True)]
    assert "warmup_s" in found(validity_of([Cellful(rows, window=(0.0, float(values.sum())))]), "steady state")[0]["message"]


def test_cached_tokens_although_salted_and_not_when_allowed() -> None:
    rows = steady_rows(cache_read_tokens=64)
    assert "6,400 prompt tokens of a, en_1-500, 1 user" in found(validity_of([Cellful(rows)]), "prompt cache")[0]["message"]
    allowed = validity_of([Cellful(rows)], config={"cache": "allow"})
    assert [finding["severity"] for finding in found(allowed, "prompt cache")] == ["note"]


CACHES = [("cold", 64, "warning"), ("write", 64, "warning"), ("hit", 0, "warning"), ("hit", 64, None), ("cold", 0, None)]
TIERS = [("flex", "default", True), ("default", "standard", False), ("flex", None, False), (None, "default", False)]


@pytest.mark.parametrize(("mode", "read", "severity"), CACHES)
def test_a_cache_that_did_not_do_what_was_meant(mode: str, read: int, severity: str | None) -> None:
    cache = {"points": ["context"], "ttl": "5m", "mode": mode}
    validity = validity_of([Cellful(steady_rows(cache_read_tokens=read))], config={"cache": cache})
    assert [finding["severity"] for finding in found(validity, "prompt cache")] == ([severity] if severity else [])


@pytest.mark.parametrize(("asked", "served", "differs"), TIERS)
def test_answers_of_another_tier_than_asked(asked: str | None, served: str | None, differs: bool) -> None:
    rows = steady_rows(service_tier_asked=asked, service_tier=served)
    messages = [finding["message"] for finding in found(validity_of([Cellful(rows)]), "served")]
    assert [message.split()[0] for message in messages] == (["100"] if differs else [])


def test_throttling_is_the_quotas_limit() -> None:
    rows = steady_rows() + [failed(k, "throttled_tokens") for k in range(10)]
    message = found(validity_of([Cellful(rows)]), "throttling")[0]["message"]
    assert "9 %" in message and "quota" in message


@pytest.mark.parametrize(("kind", "severity"), [("access_denied", "warning"), ("service_unavailable", "note")])
def test_what_failed_is_said_in_the_services_words(kind: str, severity: str) -> None:
    rows = steady_rows() + [failed(k, kind) | {"message": "Your account is suspended." if k else "Other."} for k in range(5)]
    (finding,) = found(validity_of([Cellful(rows)]), "failed requests")
    assert finding["severity"] == severity
    assert finding["message"].startswith(f'5 of 105 measured requests to a failed: {kind} (5): "Your account is suspended."')


def test_what_several_kinds_of_failure_say_alike_is_said_once() -> None:
    rows = steady_rows() + [
        failed(k, kind) | {"message": "Try later."} for k in range(5) for kind in ("internal", "reset_in_stream")
    ]
    assert found(validity_of([Cellful(rows)]), "failed requests")[0]["message"].count("Try later.") == 1


def test_failures_of_one_user_process_or_prompt_are_told_from_those_of_all() -> None:
    def of(who: Callable[[int], dict[str, Any]], bad: Callable[[int], bool]) -> list[str]:
        rows = [
            (failed(0.1 * k, "internal") if bad(k) else row(0.1 * k, 0.1)) | {"prompt_id": f"p{k}"} | who(k) for k in range(90)
        ]
        return [one["message"] for one in found(validity_of([Cellful(rows, concurrency=6)]), "failures of one")]

    [said] = of(lambda k: {"user": k % 6}, lambda k: k % 6 == 3)
    assert said.startswith("15 of 15 failures in a, en_1-500, 6 users are of user 3 of load process w0, one of 6.")
    [said] = of(lambda k: {"worker": f"w{k % 3}"}, lambda k: k % 3 == 1)
    assert "30 of 30 failures" in said and "are of load process w1, one of 3." in said
    [said] = of(lambda k: {"prompt_id": f"q{k % 5}"}, lambda k: k % 5 == 2)
    assert "are of prompt q2, one of 5." in said
    assert of(lambda k: {"user": k % 6}, lambda k: k % 7 == 3) == []
    assert of(lambda k: {"user": k % 2}, lambda k: k % 2 == 0) == []  # of two users one may well have them all
    assert of(lambda k: {"user": k % 6}, lambda k: k in (3, 9)) == []


def test_a_failure_in_a_hundred_and_throttling_are_no_matter() -> None:
    rows = steady_rows() + [failed(1, "internal")] + [failed(k, "throttled_tokens") for k in range(10)]
    assert found(validity_of([Cellful(rows)]), "failed requests") == []


def test_cells_whose_window_saw_no_request_are_small_cells() -> None:
    """The warm-up was longer than what the load was there for."""
    late = Cellful(steady_rows(50, 0.2, phase="warmup"), concurrency=2, start=20.0)
    message = found(validity_of([Cellful(steady_rows(100, 0.1)), late]), "sample size")[0]["message"]
    assert "1 cell of 2" in message and "least: 0" in message


def test_small_cells_say_what_a_p95_takes() -> None:
    message = found(validity_of([Cellful(steady_rows(50, 0.2))]), "sample size")[0]["message"]
    assert "72" in message and "50" in message


@pytest.mark.parametrize(("repeats", "said"), [(1, False), (2, True), (4, True), (5, False)])
def test_a_few_repeats_do_not_tell_how_hours_differ(repeats: int, said: bool) -> None:
    cells = [Cellful(steady_rows(), start=1000.0 * k, line={"block": k}) for k in range(repeats)]
    for k, cell in enumerate(cells):
        for made in cell.rows:
            made |= {"block": k} | {name: made[name] + 1000.0 * k for name in ("intended_at", "sent_at", "ended_at")}
    notes = found(validity_of(cells), "repeats")
    assert [f"{repeats} repeats" in note["message"] and note["severity"] == "note" for note in notes] == [True] * said


def test_answers_cut_at_max_tokens() -> None:
    rows = steady_rows(90) + steady_rows(10, stop_reason="max_tokens")
    assert "10 %" in found(validity_of([Cellful(rows)]), "answers")[0]["message"]


def test_of_many_models_whose_answers_were_cut_one_finding_tells() -> None:
    cells = [Cellful(steady_rows(stop_reason="max_tokens"), name) for name in "abc"]
    cells.append(Cellful(steady_rows(75) + steady_rows(25, stop_reason="max_tokens"), "d"))
    [said] = found(validity_of(cells), "answers")
    assert said["message"].startswith("100 % of the answers of a, b and c and 25 % of the answers of d ended at max_tokens.")


def test_models_that_answer_at_different_length() -> None:
    cells = [Cellful(steady_rows(output_tokens=20)), Cellful(steady_rows(output_tokens=60), "b")]
    assert "3.0 times" in found(validity_of(cells), "answer length")[0]["message"]
    cells = [Cellful(steady_rows(output_tokens=20)), Cellful(steady_rows(output_tokens=25), "b")]
    assert not found(validity_of(cells), "answer length")


def test_the_same_said_of_many_is_said_once() -> None:
    places = [(model, bucket, tokens) for bucket in ("en_1-500", "en_500-1000") for model, tokens in (("a", 20), ("b", 60))]
    made = {"prompt_tokens": 100, "input_tokens": 125}
    cells = [
        Cellful(steady_rows(output_tokens=tokens, **made), model, bucket, start=100.0 * number)
        for number, (model, bucket, tokens) in enumerate(places)
    ]
    for cell in cells:
        for request in cell.rows:
            request |= {name: request[name] + cell.start for name in ("intended_at", "sent_at", "ended_at")}
    validity = validity_of(cells)
    assert found(validity, "answer length")[0]["message"].count("times as many tokens") == 1
    assert "1.25 times as many on a and b." in found(validity, "tokens")[0]["message"]


def test_a_local_tokenizer_that_is_far_off() -> None:
    assert "1.40" in found(validity_of([Cellful(steady_rows(input_tokens=140))]), "tokens")[0]["message"]
    # cached tokens are prompt tokens too: 60 + 30 + 10 of 100
    rows = steady_rows(input_tokens=60, cache_read_tokens=30, cache_write_tokens=10)
    assert not found(validity_of([Cellful(rows)], config={"cache": "allow"}), "tokens")


def test_cells_that_did_not_run() -> None:
    lines = {"status": "skipped", "reason": "access_denied"}
    validity = validity_of([Cellful(steady_rows()), Cellful([], "b", line=lines)])
    message = found(validity, "cells")[0]["message"]
    assert "access_denied" in message and "b, en_1-500" in message


def test_cells_that_did_not_run_stand_under_their_own_reason() -> None:
    reasons = {"b": "access_denied (8)", "c": "not_found (5)"}
    cells = [Cellful([], model, line={"status": "skipped", "reason": reason}) for model, reason in reasons.items()]
    messages = [finding["message"] for finding in found(validity_of([Cellful(steady_rows()), *cells]), "cells")]
    assert messages == [
        "1 cell left out (access_denied (8)): b, en_1-500, 1 user. Not judged.",
        "1 cell left out (not_found (5)): c, en_1-500, 1 user. Not judged.",
    ]


def test_a_run_without_an_answer_is_invalid() -> None:
    assert validity_of([Cellful([failed(k, "internal") for k in range(30)])])["verdict"] == "INVALID"


def test_counts_by_locusts_names() -> None:
    records, _ = run_of(
        [
            Cellful([row(1), failed(2, "internal"), row(-1, phase="warmup"), row(3, outcome="abandoned")]),
            Cellful([row(11)], "b", "zh_500-1000", 8),
        ]
    )
    counts = counts_by_name(read(records))
    assert counts == {
        "a|en_1-500|1|measure": {"requests": 2, "failures": 1},
        "a|en_1-500|1|warmup": {"requests": 1, "failures": 0},
        "b|zh_500-1000|8|measure": {"requests": 1, "failures": 0},
    }
    assert differences(counts, {"locust": {"counts": counts}}) == []
    assert differences(counts, {"locust": {"requests": 4, "failures": 1}}) == []
    assert differences(counts, {}) == []
    missing = {name: count for name, count in counts.items() if "warmup" not in name}
    assert [say(one) for one in differences(counts, {"locust": {"counts": missing}})] == [
        "a|en_1-500|1|warmup: 1 requests in the records, 0 in Locust's count"
    ]


@pytest.mark.parametrize(("text_s", "said"), [(0.05, 0), (0.055, 0), (0.08, 1), (None, 0)])
def test_a_model_whose_text_comes_long_after_its_first_token_thinks_first(text_s: float | None, said: int) -> None:
    given = {} if text_s is None else {"ttft_text_s": text_s}
    (*thinking,) = found(validity_of([Cellful(steady_rows(ttft_s=0.05, **given))]), "thinking")
    assert len(thinking) == said
    for finding in thinking:
        assert finding["severity"] == "note"
        assert "begin within 0.05 s, and show text within 0.08 s" in finding["message"]
