"""Sentences are made of facts: no label can change what is said, and every message that there is can be said."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fmbench.core import messages
from fmbench.core.findings.registry import CHECKS
from fmbench.core.messages import Fact, Message
from fmbench.core.registry import entry, names_in
from fmbench.core.summary import summarise
from fmbench.report.summary import closing_line, say, worded
from tests.report.support import HAIKU, NOVA, Study, make, reported
from tests.unit.made import Cellful, row, run_of

PACKAGE = Path(__file__).resolve().parents[2] / "fmbench"


def two_models(first: str, second: str) -> dict[str, Any]:
    """The first is the cheaper and meets every limit at one user; at four it fails."""
    slow = np.random.default_rng(1).lognormal(0, 0.05, 100)
    cells = [
        Cellful([row(k / 10, 0.5) for k in range(100)], first),
        Cellful([row(k / 10, 3 * float(v)) for k, v in enumerate(slow)], first, concurrency=4, start=30),
        Cellful([row(k / 10, 0.5, usd=0.01) for k in range(100)], second, start=60),
    ]
    return summarise(*run_of(cells, {"e2e_p95_s": 1.0, "error_rate": 0.05}), pd.DataFrame())


@pytest.mark.parametrize("label", ["At Home", "Nothing else", "nova", "a {label} in braces", "e2e_p95_s", "no other model"])
def test_no_label_changes_what_is_said(label: str) -> None:
    told, plain = worded(two_models(label, "other")), worded(two_models("LABEL", "other"))
    for found, other in zip(told["verdicts"], plain["verdicts"], strict=True):
        assert found["reason"] == other["reason"].replace("LABEL", label)
        assert found["what_would_change"] == [note.replace("LABEL", label) for note in other["what_would_change"]]
    assert plain["verdicts"][0]["what_would_change"] == ["At 4 users LABEL does not meet end to end p95 ≤ 1 s."]


def test_the_report_of_labels_that_read_like_sentences(tmp_path: Path) -> None:
    models = (replace(NOVA, label="At Home"), replace(HAIKU, label="Nothing else"))
    run = reported(
        make(Study(models=models, levels=(1, 8), requests=120, objectives={"ttft_p95_s": 3.0, "error_rate": 0.1})),
        tmp_path / "run",
    )
    page = (run.path / "report.md").read_text()
    first = page.split("## ")[0]
    assert "**Pick At Home at 8 users.** It meets every objective" in first
    assert "The runner-up, Nothing else at 8 users, costs " in first
    assert first.count("Nothing was measured above 8 users of At Home.") == 1


def test_the_closing_line_is_the_reason() -> None:
    summary = two_models("At Home", "other")
    assert closing_line(worded(summary)) == worded(summary)["recommendation"]["reason"]
    spoilt = summary | {"validity": {"verdict": "INVALID", "findings": []}}
    assert closing_line(worded(spoilt)).startswith("No answer: the run is INVALID")
    nothing = summarise(*run_of([]), pd.DataFrame())
    assert closing_line(worded(nothing)) == "No recommendation: Nothing was measured."


def every_message() -> list[type[Message]]:
    found, waiting = [], [Message]
    for name in names_in("core/findings"):
        entry("core/findings", name)
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        found.append(kind)
    return [kind for kind in found if getattr(sys.modules[kind.__module__], kind.__name__, None) is kind is not Message]


def test_every_message_is_said_by_its_words_or_by_a_function() -> None:
    from fmbench.report.say import sentence

    for kind in every_message():
        assert kind.says or sentence.dispatch(kind) is not sentence.dispatch(object), kind.__name__


def test_a_message_without_words_and_an_unknown_fact_raise() -> None:
    class Mute(Message):
        pass

    class Strange(Fact):
        pass

    with pytest.raises(NotImplementedError):
        say(Mute())
    with pytest.raises(NotImplementedError):
        say(messages.Phrase(Strange()))  # type: ignore[arg-type]


def test_every_finding_s_file_is_in_the_registry() -> None:
    files = [name for name in names_in("core/findings") if name not in ("finding", "registry")]
    assert {check for name in files for check in entry("core/findings", name).CHECKS} == set(CHECKS)


def test_nobody_reads_prose() -> None:
    """No sentence is picked by how it begins, and none is changed once it is said: only names and numbers are made of text."""
    allowed = {"names.py", "render.py", "blocks.py", "study.py"}
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for folder in ("core", "report")
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        if path.name not in allowed
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("startswith", "removeprefix", "replace")
        if isinstance(node.value, ast.Name) and node.value.id in ("note", "words", "sentence", "reason", "message", "said")
    ]
    assert found == []
