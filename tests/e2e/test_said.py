"""What a run says to people and to programs: a row a model as in summary.json, whether it is valid, a status for pipelines."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.e2e.commands import Desk, small_config

LOAD = {"concurrency": [2, 4], "warmup_s": 0.2, "duration_s": 0.8, "min_requests": 0}
LLAMA_IS_NOT_THERE = {
    "profile": {"ttft_s": 0.03, "tpot_s": 0.002},
    "models": {"us.meta.llama3-3-70b-instruct-v1:0": {"faults": [{"kind": "not_found", "rate": 1.0}]}},
}


def config() -> dict[str, Any]:
    """A study that ends as planned, and is not valid: a model of it cannot be called."""
    return small_config(load=LOAD, simulator=LLAMA_IS_NOT_THERE)


def number(text: str, unit: str = "") -> float:
    """A number of the table, in seconds where it is a time."""
    value, _, found = text.replace("\u202f", "|").replace("$", "").replace(",", "").partition("|")
    return float(value) / (1000 if found == "ms" else 1)


def test_the_last_lines_say_what_the_summary_says(desk: Desk):
    done = desk.run(config(), "--require", "valid")
    assert done.status == 7, done.stderr
    assert done.manifest["status"] == "done"
    summary = done.json("summary.json")
    lines = done.stderr.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("Validity:"))
    assert lines[place] == f"Validity: {summary['validity']['verdict']}"
    grave = [finding for finding in summary["validity"]["findings"] if finding["severity"] != "note"]
    assert grave and all(any(finding["message"] in line for line in lines[place:]) for finding in grave[:3])
    assert lines[-2:] == [f"Report: {done.address}/report.html", f"        {done.address}/report.md"]
    assert (done.run / "report.html").exists()

    (row,) = [re.split(r"(?<=\S) +(?=\S)", line.strip()) for line in lines if re.match(r"^nova +\d", line)]
    (cell,) = [cell for cell in summary["cells"] if cell["model"] == "nova" and cell["concurrency"] == int(row[1])]
    assert number(row[2]) == pytest.approx(cell["ttft_s"]["p50"], rel=0.01)
    assert number(row[4]) == pytest.approx(cell["e2e_s"]["p50"], rel=0.01)
    assert number(row[6]) == pytest.approx(cell["transactions_per_minute"], rel=0.01)
    assert number(row[7]) == pytest.approx(cell["output_tokens_per_s"], rel=0.01)
    assert number(row[8]) == pytest.approx(cell["usd_per_10k"], rel=0.02)


def test_a_program_gets_a_line_of_json_an_event_and_nothing_else(desk: Desk):
    done = desk.run(config(), "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.stderr == ""
    assert events[0]["event"] == "started" and events[-1]["event"] == "ended"
    assert (done.status, events[-1]["status"]) == (0, 0)
    summary = json.loads((desk.results / events[-1]["run"] / "summary.json").read_text())
    assert events[-1]["validity"] == summary["validity"]["verdict"] != "PASS"
    assert events[0]["run_id"] == summary["run_id"]
