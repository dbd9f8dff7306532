"""A load process that is late or busy is told so, cell by cell, and the model is not blamed for it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tests.unit.made import T0, Cellful, row, run_of, summarise

SECONDS = range(60)


def health(start: float = 0.0, seconds: range = SECONDS, **given: Any) -> pd.DataFrame:
    """A row a second; a quiet process unless said."""
    made = {"at": [T0 + start + second + 0.5 for second in seconds], "worker": "w0"}
    return pd.DataFrame(made | {"lag_p99_s": 0.0005, "cpu": 0.3, "new_connections": 0} | given)


def requests(e2e: float, count: int = 240, delay: float = 0.0, users: int = 1) -> list[dict[str, Any]]:
    """Requests of some users, one after the other, each sent ``delay`` after it was intended. TTFT is a quarter of ``e2e``."""
    made = []
    for number in range(count):
        sent = (number // users) * (e2e + delay) + delay
        made.append(row(sent, e2e, intended_at=T0 + sent - delay, user=number % users))
    return made


def cell(e2e: float, users: int = 4, delay: float = 0.0, **given: Any) -> Cellful:
    return Cellful(requests(e2e, 240, delay, users), concurrency=users, window=(0.0, 60 * (e2e + delay)), **given)


def summary_of(cells: list[Cellful], rows: pd.DataFrame, **objectives: float) -> dict[str, Any]:
    records, manifest = run_of(cells, objectives)
    return summarise(records, manifest, rows)


def judged(summary: dict[str, Any]) -> tuple[str, str, Any]:
    """The instrument's verdict, how the only objective stands, and whether the cell meets it, of the first cell."""
    first = summary["cells"][0]
    return first["instrument"]["verdict"], first["objectives"][0]["status"], first["meets_objectives"]


def test_a_quiet_instrument_passes_and_a_slow_model_is_slow() -> None:
    summary = summary_of([cell(1.0)], health(), e2e_p95_s=0.9)
    assert judged(summary) == ("PASS", "not_met", False)
    assert summary["cells"][0]["instrument"]["reasons"] == []


@pytest.mark.parametrize(
    ("state", "delay"),
    [
        ({"lag_p99_s": 0.2}, 0.0),  # TTFT is 0.25 s: half of it is 0.125 s
        ({"cpu": 1.0}, 0.25),  # 80 % of the users in flight
        ({}, 0.6),  # users wait 0.6 s for each request of 1 s
    ],
)
def test_a_saturated_generator_never_reports_a_slow_model(state: dict[str, Any], delay: float) -> None:
    summary = summary_of([cell(1.0, delay=delay)], health(seconds=range(120), **state), e2e_p95_s=0.9)
    assert judged(summary) == ("INVALID", "undecided", None)
    assert summary["validity"]["verdict"] == "INVALID"
    verdict = summary["verdicts"][0]
    assert verdict["status"] == "undecided"
    assert "load process" in verdict["reason"] and "--processes" in verdict["reason"]
    assert "No model meets" not in verdict["reason"]


@pytest.mark.parametrize(("waited", "named"), [(0.25, True), (0.0, False)])
def test_users_who_waited_for_credentials_are_told_so(waited: float, named: bool) -> None:
    """0.25 s before each request of 1 s: 80 % of the users in flight, which more load processes would not mend."""
    summary = summary_of([cell(1.0, delay=0.25)], health(seconds=range(120), credentials_wait_s=waited), e2e_p95_s=9.0)
    found = {finding["subject"]: finding["message"] for finding in summary["validity"]["findings"]}
    assert ("AWS credentials" in found["start delay"]) is named
    assert ("concurrency" in found) is not named


def test_a_limit_that_is_met_in_spite_of_the_lag_is_met() -> None:
    assert judged(summary_of([cell(1.0)], health(lag_p99_s=0.2), e2e_p95_s=2.0)) == ("INVALID", "met", True)


def test_a_cell_that_had_fewer_users_than_asked_for_meets_nothing() -> None:
    assert judged(summary_of([cell(1.0, delay=0.6)], health(seconds=range(120)), e2e_p95_s=2.0)) == ("INVALID", "undecided", None)


@pytest.mark.parametrize(("limit", "status"), [(0.9, "undecided"), (0.5, "not_met")])
def test_a_lag_is_given_to_the_model_where_it_may_be_the_difference(limit: float, status: str) -> None:
    # the median TTFT is 0.25 s: a lag of 0.11 s is less than half of it, and more than 5 %
    assert judged(summary_of([cell(1.0)], health(lag_p99_s=0.11), e2e_p95_s=limit))[:2] == ("DEGRADED", status)


def test_only_the_cell_that_was_spoilt_is_spoilt() -> None:
    ladder = [cell(1.0, 2), cell(1.0, 4, start=100.0), cell(1.0, 8, start=200.0)]
    for index, found in enumerate(ladder):
        found.rows = [
            made | {name: made[name] + index * 100 for name in ("sent_at", "intended_at", "ended_at")} for made in found.rows
        ]
    ladder[0].window, ladder[2].window = (0.0, 120.0), (0.0, 30.0)
    rows = pd.concat([health(0, range(120)), health(200.0, range(30), lag_p99_s=0.5)])
    summary = summary_of(ladder, rows, e2e_p95_s=0.9)
    assert [found["instrument"]["verdict"] for found in summary["cells"]] == ["PASS", "PASS", "INVALID"]
    assert [found["meets_objectives"] for found in summary["cells"]] == [False, False, None]
    assert summary["validity"]["verdict"] == "DEGRADED"
    (finding,) = (found for found in summary["validity"]["findings"] if found["subject"] == "instrument")
    assert "8 users" in finding["message"] and "2 users" not in finding["message"]


def test_new_connections_are_counted_in_the_window() -> None:
    rows = pd.concat([health(-100.0, new_connections=9), health(new_connections=[3] + [0] * 59)])
    assert summary_of([cell(1.0)], rows, e2e_p95_s=2)["cells"][0]["instrument"]["new_connections"] == 3


def test_a_line_is_of_as_long_as_it_says() -> None:
    """Of a window that ends at 60 s: the half second that it began with counts, and 0.2 s of making the next one ready do not."""
    lines = pd.DataFrame({"at": [T0 + 0.5, T0 + 60.3], "for_s": [0.5, 0.2], "worker": "w0", "new_connections": [3, 9]})
    rows = pd.concat([health(1.0, range(59)), lines])
    assert summary_of([cell(1.0)], rows, e2e_p95_s=2)["cells"][0]["instrument"]["new_connections"] == 3


@pytest.mark.parametrize(("asked", "said"), [(128, 0), (300, 1)])
def test_a_plan_beyond_what_was_calibrated_is_noted(asked: int, said: int) -> None:
    calibration = {"users_per_process": 128, "asked_per_process": asked, "max_ttft_error_s": 0.003}
    records, manifest = run_of([cell(1.0)], {}, environment={"calibration": calibration})
    findings = summarise(records, manifest, health())["validity"]["findings"]
    found = [finding for finding in findings if finding["subject"] == "calibration"]
    assert [finding["severity"] for finding in found] == ["note"] * said


def stamped(found: Cellful, late: float) -> Cellful:
    """The cell with first contents that the kernel stamped and the process read ``late`` seconds after."""
    found.rows = [made | {"ttft_read_s": made["ttft_s"] + late} for made in found.rows]
    return found


def test_lateness_is_what_was_measured_not_what_the_event_loop_lets_infer() -> None:
    summary = summary_of([stamped(cell(1.0), 0.002)], health(lag_p99_s=0.9), e2e_p95_s=0.9)
    assert judged(summary) == ("PASS", "not_met", False)
    found = summary["cells"][0]["instrument"]
    assert found["ttft_clock"] == "kernel" and found["lag_s"] == pytest.approx(0.002)
    assert summary["lateness_s"]["max"] == pytest.approx(0.002)
    assert summary["instrument_error_s"] == pytest.approx(0.002)


@pytest.mark.parametrize(("objective", "status"), [("ttft_p95_s", "not_met"), ("e2e_p95_s", "undecided")])
def test_a_late_process_takes_nothing_from_a_ttft_by_the_kernels_stamps(objective: str, status: str) -> None:
    limit = {"ttft_p95_s": 0.2, "e2e_p95_s": 0.95}[objective]  # TTFT is 0.25 s, end to end 1 s
    assert judged(summary_of([stamped(cell(1.0), 0.1)], health(), **{objective: limit}))[:2] == ("DEGRADED", status)


def test_a_process_that_reads_very_late_measures_nothing_but_says_by_how_much() -> None:
    summary = summary_of([stamped(cell(1.0), 0.6)], health(), e2e_p95_s=0.9)
    assert judged(summary)[:2] == ("INVALID", "undecided")
    assert "measured on each request" in summary["cells"][0]["instrument"]["reasons"][0]


def test_some_requests_without_a_stamp_are_said() -> None:
    found = stamped(cell(1.0), 0.001)
    found.rows[::20] = [made | {"ttft_read_s": None} for made in found.rows[::20]]
    assert summary_of([found], health())["cells"][0]["instrument"]["ttft_clock"] == "mixed"


def stamped_to_the_end(e2e: float, late: float) -> Cellful:
    """Ends of answers are stamped, too. They are read ``late`` seconds after, and the users ask again then."""
    found = stamped(cell(e2e, delay=late), late)
    found.rows = [made | {"e2e_read_s": made["e2e_s"] + late, "intended_at": made["sent_at"]} for made in found.rows]
    return found


@pytest.mark.parametrize(("limit", "status"), [(0.95, "not_met"), (2.0, "met")])
def test_what_is_stamped_to_the_end_waits_for_no_reader(limit: float, status: str) -> None:
    """Read 0.06 s late after 1 s: 94 % of the users are in flight."""
    summary = summary_of([stamped_to_the_end(1.0, 0.06)], health(seconds=range(63)), e2e_p95_s=limit)
    assert judged(summary) == ("PASS", status, status == "met")
    (note,) = (found for found in summary["validity"]["findings"] if found["subject"] == "instrument")
    assert note["severity"] == "note" and "60.0 ms" in note["message"] and "in no latency" in note["message"]
    assert summary["validity"]["verdict"] == "PASS"


def test_users_who_are_kept_from_asking_are_fewer_users() -> None:
    """Read 0.2 s late after 1 s: 83 % of the users are in flight, and the figures are of so many."""
    summary = summary_of([stamped_to_the_end(1.0, 0.2)], health(seconds=range(72)), e2e_p95_s=2.0)
    assert judged(summary) == ("PASS", "met", True)
    assert {found["subject"] for found in summary["validity"]["findings"] if found["severity"] == "warning"} == {"concurrency"}


@pytest.mark.parametrize("limit", [0.95, 2.0])
def test_a_cell_whose_users_were_kept_from_asking_half_of_the_time_says_nothing(limit: float) -> None:
    """Read 0.6 s late after 1 s: 62 % of the users are in flight."""
    summary = summary_of([stamped_to_the_end(1.0, 0.6)], health(seconds=range(96)), e2e_p95_s=limit)
    assert judged(summary) == ("INVALID", "undecided", None)
    assert "--processes" in summary["cells"][0]["instrument"]["reasons"][0]
    assert summary["validity"]["verdict"] == "INVALID"


def test_a_run_whose_ends_are_not_stamped_is_judged_as_before() -> None:
    found = stamped_to_the_end(1.0, 0.06)
    found.rows[::20] = [made | {"e2e_read_s": None} for made in found.rows[::20]]
    assert judged(summary_of([found], health(seconds=range(63)), e2e_p95_s=2.0))[0] == "DEGRADED"


@pytest.mark.parametrize(("every", "verdict"), [(50, "PASS"), (10, "DEGRADED")])
@pytest.mark.parametrize("waited", [0.0, 0.3])
def test_one_start_in_fifty_that_is_late_takes_nothing_from_a_closed_loop(every: int, verdict: str, waited: float) -> None:
    """0.3 s late after 1 s: 99.4 % of the users in flight, or 97 %. Waiting for credentials is told however few it struck."""
    found = cell(1.0)
    found.rows[::every] = [made | {"intended_at": made["sent_at"] - 0.3} for made in found.rows[::every]]
    summary = summary_of([found], health(credentials_wait_s=waited), e2e_p95_s=2.0)
    assert judged(summary)[0] == ("DEGRADED" if waited else verdict)
    assert summary["cells"][0]["instrument"]["start_delay_p99_s"] == pytest.approx(0.3)
