"""A load process that stands still, or hangs, is found out by its silence; one that was only slow to be looked at is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from fmbench.load import deadlines
from fmbench.load.contact import Contact
from fmbench.load.leaving import leave_within
from fmbench.load.silence import Silence


@pytest.fixture
def silence() -> Iterator[Silence]:
    listening = Silence(pid=7)
    yield listening
    listening.close()


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch, silence: Silence) -> Callable[[float], None]:
    """A clock that the test moves."""
    now = [silence._looked]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


def is_past_after(silence: Silence, advance: Callable[[float], None], seconds: int) -> bool:
    """With a look each second."""
    for _ in range(seconds):
        advance(1.0)
        past = silence.is_past()
    return past


def test_silence_after_a_word_is_bounded_and_each_word_begins_anew(silence: Silence, advance: Callable[[float], None]) -> None:
    for _ in range(3):
        os.write(silence.writing, b".")
        assert not is_past_after(silence, advance, int(deadlines.STILL_S))
    assert is_past_after(silence, advance, 2)
    assert silence.said == "load process 7 has not answered for 120 s (it was stopped, or hangs): it is killed"


def test_a_process_that_starts_has_longer(silence: Silence, advance: Callable[[float], None]) -> None:
    assert not is_past_after(silence, advance, int(deadlines.STILL_S) + 60)
    assert is_past_after(silence, advance, int(deadlines.FIRST_WORD_S))


def test_who_stood_still_itself_blames_nobody(silence: Silence, advance: Callable[[float], None]) -> None:
    os.write(silence.writing, b".")
    assert not silence.is_past()
    advance(100_000.0)
    assert not silence.is_past(), "a whole machine was asleep"
    assert not is_past_after(silence, advance, int(deadlines.STILL_S) - 5)


def test_a_stopped_process_is_killed_and_named(
    silence: Silence, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("fmbench.load.silence.STILL_S", 0.5)
    os.write(silence.writing, b".")
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        silence.pid = process.pid
        os.kill(process.pid, signal.SIGSTOP)
        said = leave_within({process: [silence]})
        assert process.wait(20) == -signal.SIGKILL
    assert said == f"load process {process.pid} has not answered for 0.5 s (it was stopped, or hangs): it is killed"
    assert said in capsys.readouterr().err


def test_who_has_no_answer_of_its_master_for_too_long_may_not_send() -> None:
    alone, contact = Contact(), Contact()
    assert not alone.is_lost()
    contact.asked_ns = time.monotonic_ns()
    assert not contact.is_lost()
    contact.asked_ns -= int(deadlines.MASTER_LOST_S * 1e9)
    assert contact.is_lost()
