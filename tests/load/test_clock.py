"""A run's time of day is read once: setting the clock moves nothing of a run that goes on."""

from __future__ import annotations

import time

import pytest

from fmbench.load import clock


def test_a_clock_that_is_set_moves_no_stamp_until_a_run_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    clock.begin()
    before = clock.now()
    assert abs(before - time.time()) < 0.1
    sound = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: sound() - 3_600_000_000_000)
    assert 0 <= clock.now() - before < 5
    clock.begin()
    assert -3_600 <= clock.now() - before < -3_590
    monkeypatch.undo()
    clock.begin()
