"""Deadlines nest: whoever waits for somebody waits longer than that one may take."""

from __future__ import annotations

from fmbench.load import deadlines as d

ECS_GIVES_S = 120
"""``stopTimeout`` of a Fargate task, at most."""


def test_a_pulse_is_newer_than_what_the_controller_acts_upon() -> None:
    assert d.LOOK_S < d.PULSE_S


def test_a_worker_answers_a_step_before_the_controller_gives_it_up() -> None:
    assert d.STORE_BETWEEN_CELLS_S < d.STEP_READY_S


def test_a_worker_says_where_it_stands_before_it_is_sent_away() -> None:
    assert 10 * (d.CONNECT_ROUND_TRIP_S + d.REGION_S) < d.READY_S


def test_the_crew_settles_within_the_time_it_has() -> None:
    assert d.SETTLED_S < d.COME_BACK_S < d.SETTLE_S
    assert d.READY_S <= d.SETTLE_S, "a stranger that never answers is sent away before the others go on without settling"


def test_the_controller_waits_longer_for_a_drain_than_a_worker() -> None:
    assert d.DRAIN_REPORT_S < d.DRAIN_REPORT_S + d.SLACK_S
    assert d.SLACK_S > d.PULSE_S


def test_workers_without_a_master_stop_sending_within_ten_seconds() -> None:
    assert d.MASTER_LOST_S + 1 < 10


def test_whoever_is_told_to_end_is_done_when_the_machine_is_taken_away() -> None:
    assert d.GRACE_S + d.GOODBYE_S + d.STORE_AT_THE_END_S < ECS_GIVES_S


def test_the_controller_lets_a_worker_store_what_it_has() -> None:
    assert d.STORE_AT_THE_END_S < d.FAREWELL_S
