"""Events between load process and program, and how people see them."""

from __future__ import annotations

import os
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from fmbench.core.records import Cell, Prompt, Record, record_of
from fmbench.load.event_words import over_parts, over_words
from fmbench.load.events import CellDone, CellNow, EventPipe, Percentiles, Waiting, from_line, hearing, to_line
from fmbench.load.tally import Tally, WholeCounts, total
from fmbench.load.web_tabs import row_of
from fmbench.run.fit import fitted, wrapped
from fmbench.run.live import InLines, OnTerminal, panel
from fmbench.run.say import Voice, speak

NOW = CellNow(
    place=3,
    cells=12,
    model="nova-lite",
    bucket="en_500-1000",
    users=8,
    rate_per_min=None,
    workers=2,
    state="measuring",
    reason="",
    until=1_795_800_000.0,
    sent=40,
    measured=31,
    ok=29,
    failed=2,
    attempts=None,
    attempts_failed=None,
    throttled=1,
    dropped=0,
    failures={"throttled_requests": 1, "timeout_total": 1},
    said={"throttled_requests": "Too many requests, \x1b[31mplease wait.", "timeout_total": ""},
    ttft=Percentiles(n=29, p50=0.123, p95=0.5),
    tpot=Percentiles(n=29, p50=0.01, p95=0.02),
    e2e=Percentiles(n=29, p50=1.23, p95=2.5),
    ttft_planned=None,
    e2e_planned=None,
    answers_per_min=321.0,
    output_tokens_per_s=99.0,
    admitted_tpm=84_000.0,
    usd=0.0123,
    usd_run=0.25,
    budget_usd=5.0,
    left_s=125.0,
)
DONE = CellDone(**{name: getattr(NOW, name) for name in NOW.__slots__} | {"state": "complete", "until": None})


@pytest.mark.parametrize("event", [NOW, DONE, Waiting(present=1, expected=3)])
def test_an_event_is_the_same_after_the_pipe(event: CellNow | Waiting):
    assert from_line(to_line(event)) == event
    heard: list[object] = []
    with hearing(heard.append) as descriptor:
        EventPipe(descriptor).send(event)
    assert heard == [event]


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b'{"event": "cell"}', b"\xff", b'{"event": "waiting", "present": 1}'])
def test_what_is_no_event_is_passed_over(line: bytes):
    assert from_line(line) is None


def test_a_full_pipe_never_holds_up_the_load():
    reading, writing = os.pipe()
    pipe = EventPipe(writing)
    for _ in range(1000):
        pipe.send(NOW)
    os.close(reading)
    pipe.send(NOW)
    os.close(writing)


def test_a_cell_whose_price_is_not_known_costs_no_zero_dollars():
    unpriced = replace(DONE, usd=None)
    assert "price unknown" in over_words(unpriced) and "$" not in over_words(unpriced)
    console = Console(width=80, record=True, file=StringIO())
    console.print(panel(replace(NOW, usd=None)))
    assert "USD of this cell unknown" in " ".join(console.export_text().split())


@pytest.mark.parametrize("width", [80, 200])
def test_the_panel_has_every_figure_with_its_name(width: int):
    console = Console(width=width, record=True, file=StringIO())
    console.print(panel(NOW))
    text = console.export_text()
    assert all(len(line) <= width for line in text.splitlines())
    squeezed = " ".join(text.split())
    for figure in (
        *(
            "cell 3 of 12: nova-lite, en_500-1000, 8 users, 2 workers",
            "31 requests over",
            "TTFT p50 123 ms",
            "p95 500 ms",
            "n 29",
        ),
        *("end to end p50 1.23 s", "p95 2.50 s", "answers/min 321", "output tokens/s 99", "USD of this cell 0.0123"),
        *(
            "of the run 0.2500 of 5 budgeted",
            "failed 2",
            "throttled 1",
            "throttled requests 1: Too many requests, [31mplease wait.",
            "timeout total 1",
            "about 2:05 left",
        ),
    ):
        assert figure in squeezed, figure


def test_a_terminal_keeps_a_line_for_each_cell_that_is_over():
    console = Console(width=200, force_terminal=True, record=True, file=StringIO(), no_color=True)
    shown = OnTerminal(console)
    shown.take(NOW)
    shown.take(DONE)
    shown.close()
    assert "cell 3 of 12: nova-lite, en_500-1000, 8 users, 2 workers · 31 requests · TTFT p50 123 ms" in console.export_text()


def test_without_a_terminal_there_is_a_line_a_cell(capsys: pytest.CaptureFixture[str]):
    lines = InLines()
    for event in (Waiting(present=1, expected=3), NOW, NOW, DONE):
        lines.take(event)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "waiting for workers: 1 of 3 have joined"
    assert len(said) == 2 and said[1].startswith("cell 3 of 12")
    assert "$0.0123 · throttled requests 1: Too many requests" in said[1]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]):
    speak(Voice.QUIET)
    try:
        InLines().take(DONE)
        assert capsys.readouterr() == ("", "")
    finally:
        speak(Voice.USUAL)


def test_a_level_of_an_open_loop_is_a_rate_with_its_drops():
    planned = Percentiles(n=29, p50=1.5, p95=3.0)
    event = replace(DONE, rate_per_min=120.0, dropped=4, ttft_planned=planned, e2e_planned=planned)
    assert from_line(to_line(event)) == event
    assert "4 dropped" in over_words(event)
    console = Console(width=120, record=True, file=StringIO())
    console.print(panel(replace(NOW, rate_per_min=120.0, dropped=4)))
    assert "dropped 4" in " ".join(console.export_text().split())
    assert over_words(replace(DONE, rate_per_min=120.0)).startswith("cell 3 of 12: nova-lite, en_500-1000, 120 requests/min, ")


def test_one_request_is_one():
    assert " · 1 request · " in over_words(replace(DONE, measured=1)) and " · 31 requests · " in over_words(DONE)


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_a_cell_that_is_over_is_broken_between_figures_alone(width: int):
    long = replace(DONE, model="us.anthropic.claude-haiku-4-5-20251001-v1:0")
    lines = fitted(over_parts(long), width).splitlines()
    assert " · ".join(line.strip() for line in lines) == over_words(long)
    assert all(len(line) <= width or " · " not in line for line in lines)


def test_a_long_path_is_never_broken_and_words_are_kept():
    text = f"Undecided: no model is shown to meet every objective yet. {'/long' * 30}/report.html is the report"
    lines = wrapped(text, 80).splitlines()
    assert [word for line in lines for word in line.split()] == text.split()
    assert all(len(line) <= 80 or line.strip() == f"{'/long' * 30}/report.html" for line in lines)
    assert wrapped("  short  words", 80) == "  short  words"


def test_whole_requests_are_counted_and_attempts_stand_beside_where_they_differ():
    again = {"measured": 3, "failed": 1, "attempts": 7, "attempts_failed": 5, "failures": {"throttled_requests": 5}}
    words = over_words(replace(DONE, **again))
    assert " · 3 requests (7 attempts) · " in words and "1 (5 attempts) failed (throttled requests 5)" in words
    console = Console(width=120, record=True, file=StringIO())
    console.print(panel(replace(NOW, **again)))
    text = " ".join(console.export_text().split())
    assert "3 requests (7 attempts) over" in text and "failed 1 (5 attempts)" in text
    assert row_of(replace(DONE, **again))["failed"] == "1 (5 attempts)"
    same = over_words(replace(DONE, attempts=31, attempts_failed=2))
    assert "31 requests · " in same and " 2 failed (" in same and "attempt" not in same
    assert "0 (1 attempt) failed" in over_words(replace(DONE, failed=0, attempts=32, attempts_failed=1))


def test_a_request_that_is_tried_again_is_one_and_has_failed_when_its_last_attempt_has():
    def record(outcome: str, phase: str = "measure") -> Record:
        cell = Cell(number=0, model="m", model_id="m", api="converse-stream", dataset="d", bucket="b", concurrency=1)
        prompt = Prompt(prompt_id="", text="a prompt", tokens=2, dataset="d", language="en")
        where = {"run_id": "r", "worker": "w", "user": 0, "seq": 1, "intended_at": 1.0, "max_tokens": 8, "region": None}
        return replace(record_of(cell, prompt, phase=phase, **where), outcome=outcome)

    one, other = (Tally(whole=WholeCounts()) for _ in range(2))
    for tally in (one, other):
        for outcome in ("failed", "failed", "ok"):
            tally.add(record(outcome))
        assert tally.whole is not None
        tally.whole.add(record("ok"))
        tally.whole.add(record("failed", "warmup"))
    other.add(record("failed"))
    other.whole.add(record("failed"))
    all_of_them = total([one, other, Tally()])
    assert all_of_them.whole == WholeCounts(over=3, failed=1)
    assert (all_of_them.measured, all_of_them.window.failed) == (7, 5)
    assert total([Tally(), Tally()]).whole is None
