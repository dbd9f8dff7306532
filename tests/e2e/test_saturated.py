"""A load process that cannot keep up says so, with the cure, and never that the model is slow. The endpoint's ledger knows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.commands import Desk, small_config, wait_until
from tests.support.simulator import Endpoint

LIMIT_S = 0.15


def config(**load: Any) -> dict[str, Any]:
    """One model, well within its limit."""
    window = {"concurrency": [8], "warmup_s": 0.5, "duration_s": 6, "min_requests": 0}
    sections = {"load": window | load, "objectives": {"ttft_p95_s": LIMIT_S, "e2e_p95_s": LIMIT_S}}
    made = small_config(**sections)
    return made | {"models": made["models"][:1]}


def load_process(run: Path) -> int:
    """The id of the process that writes the run's journal."""
    for line in Path("/proc").glob("[0-9]*/environ"):
        try:
            text = line.read_bytes().decode(errors="replace")
            command = (line.parent / "cmdline").read_bytes().decode()
        except OSError:
            continue
        if f"FMBENCH_RUN={run}" in text and "fmbench.load" in command:
            return int(line.parent.name)
    return 0


@contextmanager
def held_up(pid: int) -> Iterator[None]:
    """``pid`` is stopped for nine tenths of the time, as on a machine that has no time for it."""
    program = (
        "import os, signal, sys, time\n"
        "pid = int(sys.argv[1])\n"
        "try:\n"
        "    while True:\n"
        "        os.kill(pid, signal.SIGSTOP); time.sleep(0.27)\n"
        "        os.kill(pid, signal.SIGCONT); time.sleep(0.03)\n"
        "except ProcessLookupError:\n"
        "    pass\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, str(pid)])
    try:
        yield
    finally:
        holder.terminate()
        holder.wait()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.timing
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds the load process in /proc")
def test_a_load_process_without_time_is_invalid_and_the_model_is_not_blamed(
    desk: Desk, endpoint_of: Callable[[dict[str, Any]], Endpoint]
) -> None:
    endpoint = endpoint_of({"profile": {"ttft_s": 0.03, "tpot_s": 0.002, "jitter": 0}})
    command = desk.start_run(config())
    cells = wait_until(lambda: list(desk.results.glob("*/journal/*.jsonl")))
    with held_up(wait_until(lambda: load_process(cells[0].parents[1]))):
        ended = command.ended()
    assert ended.status == 0, ended.stderr

    summary = ended.json("summary.json")
    (cell,) = summary["cells"]
    seen = ended.records().query("phase == 'measure'")
    rows = endpoint.settled(1)
    first, last = ([row[stamp] - row["received_ns"] for row in rows] for stamp in ("first_content_ns", "ended_ns"))
    assert np.quantile(last, 0.95) / 1e9 < LIMIT_S
    if seen.ttft_read_s.notna().all():  # by the kernel's stamps latencies are right all the same
        assert seen.ttft_s.quantile(0.95) == pytest.approx(np.quantile(first, 0.95) / 1e9, abs=0.005)
        assert seen.e2e_s.quantile(0.95) == pytest.approx(np.quantile(last, 0.95) / 1e9, abs=0.005)
        assert seen.e2e_read_s.quantile(0.95) > LIMIT_S
    else:
        assert seen.e2e_s.quantile(0.95) > LIMIT_S
    assert cell["instrument"]["verdict"] == "INVALID"
    assert cell["meets_objectives"] is None
    assert "not_met" not in {judged["status"] for judged in cell["objectives"]}
    assert summary["verdicts"][0]["status"] == "undecided"
    assert summary["validity"]["verdict"] == "INVALID"
    page = (ended.run / "report.md").read_text()
    assert "INVALID" in page.split("## ")[0]
    assert "--processes" in page.split("## ")[0]


@pytest.mark.slow
@pytest.mark.timing
def test_users_who_wait_for_their_load_process_are_found(desk: Desk, endpoint_of: Callable[[dict[str, Any]], Endpoint]) -> None:
    endpoint_of({"profile": {"ttft_s": 0, "tpot_s": 0, "output_tokens": 2}})
    ended = desk.run(config(concurrency=[200], duration_s=3), XDG_CACHE_HOME=str(desk.folder))
    assert ended.status == 0, ended.stderr
    summary = ended.json("summary.json")
    (cell,) = summary["cells"]
    assert cell["instrument"]["verdict"] != "PASS"
    assert cell["meets_objectives"] is None
    assert any("--processes" in finding["message"] for finding in summary["validity"]["findings"])
    assert "calibration" in ended.manifest["environment"] or "is too slow, or busy" in ended.stderr
