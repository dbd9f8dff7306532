"""Malformed configurations, ``--set`` values and datasets: one message and status 2, at once, whatever is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.commands import Commands, in_a_process
from tests.fuzz.mutation import Mutator
from tests.support.tcp import counting_listener

PATIENT_S = 30.0
"""``make fuzz`` holds it to two seconds; here others may be at work on the machine."""


@pytest.mark.slow
def test_malformed_configurations(tmp_path: Path) -> None:
    commands = Commands(tmp_path)
    for number in range(60):
        commands.run(commands.configuration(Mutator(f"configuration:{number}")), PATIENT_S)
    assert commands.tried.statuses.get(2, 0) > 30
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
@pytest.mark.long
def test_malformed_datasets(tmp_path: Path) -> None:
    commands = Commands(tmp_path)
    for number in range(40):
        commands.run(commands.dataset(Mutator(f"dataset:{number}")), PATIENT_S)
    assert commands.tried.statuses.get(2, 0) > 10


@pytest.mark.slow
@pytest.mark.long
def test_the_command_itself_sends_nothing(tmp_path: Path) -> None:
    commands = Commands(tmp_path)
    with counting_listener() as (url, connections):
        for number in range(5):
            arguments = [*commands.configuration(Mutator(f"process:{number}")), "--dry-run"]
            status, said, _ = in_a_process(arguments, url)
            assert status in (0, 2, 3) and "Traceback" not in said, said
        assert connections() == 0
