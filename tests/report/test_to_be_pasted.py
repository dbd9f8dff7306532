"""What a report gives to be copied does nothing but what it says, whatever stands in a manifest."""

from __future__ import annotations

import shlex
from types import SimpleNamespace
from typing import Any

import pytest

from fmbench.report.blocks import Code
from fmbench.report.sections.again import SECTION


def _commands(**manifest: Any) -> list[str]:
    study = SimpleNamespace(manifest={"run_id": "r", **manifest}, config={"output": manifest.pop("output", "results")})
    return [block.text for block in SECTION.blocks(SimpleNamespace(study=study)) if isinstance(block, Code)]  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["x; rm -rf ~", "$(rm -rf ~)", "a\nrm -rf ~", "a`id`", "\x1b[2Ja"])
def test_an_address_is_one_word(given: str) -> None:
    words = shlex.split(_commands(output=given)[-1])
    assert words[:2] == ["fmbench-load", "report"] and len(words) == 3
    assert "\x1b" not in words[2]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("fmbench-load --config 'my cfg.yml' --set a=1", "fmbench-load --config 'my cfg.yml' --set a=1"),
        ("fmbench-load x; rm -rf ~", "fmbench-load 'x;' rm -rf '~'"),
        ("rm -rf ~", "fmbench-load --config config.yml"),
        ("fmbench-load 'a", "fmbench-load --config config.yml"),
        (None, "fmbench-load --config config.yml"),
    ],
)
def test_a_command_is_one_of_this_program(given: str | None, shown: str) -> None:
    assert _commands(command=given)[0] == shown


def test_code_shows_no_escapes_and_turns_no_direction() -> None:
    assert Code("a: \x1b[31mred\u202e\u2028\tb\nc").text == "a: \ufffd[31mred\ufffd\ufffd   b\nc"
