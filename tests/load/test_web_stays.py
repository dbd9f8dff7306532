"""``fmbench-load --web``: the page stays after the run with its answer, report and figures, until it is closed."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.load.test_web import Site, free_port, wait_until
from tests.support.browser import CHROMIUM, Browser, browser

pytestmark = pytest.mark.slow
CONFIG = """
models: [{id: us.amazon.nova-lite-v1:0, label: lite}]
inference: {max_tokens: 8}
dataset: {source: synthetic, buckets: ["1-500"], prompts_per_bucket: 3}
load: {concurrency: [2, 3], warmup_s: 0.2, duration_s: 3, min_requests: 0}
objectives: {bucket: "en_1-500", error_rate: 0.5}
quota: {lite: {tpm: 100000}}
simulator: {profile: {ttft_s: 0.03, tpot_s: 0.002, faults: [{kind: throttle_requests, rate: 0.1}]}}
"""
ENDS_IN_S = 60
NAMES = ["Time to first token", "Time per output token", "End to end", "Output tokens", "Cost of the run", "Quota", "Failures"]
CHARTS = """(() => { const found = [...document.querySelectorAll('#fmbench-charts figure')].map(f => ({name: f.dataset.chart,
title: f.innerText, dots: f.querySelectorAll('circle').length})); return found.length ? found : null; })()"""
CLICKED_S = 25
"""A cell's window where a browser clicks: one that starts slowly finds the run still at its first cell."""


def tables(site: Site) -> dict[str, list[dict[str, str]]]:
    return {table["key"]: table["data"] for table in json.loads(site.ask("/stats/requests")[2])["extended_stats"]}


def end(site: Site) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads(site.ask("/study/end")[2])
        return found
    return {"over": False, "report": False}


def run_of(site: Site) -> Path:
    (run,) = (site.folder / "results").iterdir()
    return run


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    clicked = request.node.get_closest_marker("browser") is not None
    (tmp_path / "cfg.yml").write_text(CONFIG.replace("duration_s: 3", f"duration_s: {CLICKED_S}") if clicked else CONFIG)
    port = free_port()
    command = [sys.executable, "-m", "fmbench", "--config", "cfg.yml", "--yes", "--web", "--web-port", str(port)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    found = Site(tmp_path, port, process)
    try:
        wait_until(lambda: found.listens() or process.poll() is not None)
        assert process.poll() is None, process.communicate()[1]
        yield found
    finally:
        process.kill()
        process.communicate(timeout=60)


def answer(run: Path) -> str:
    """What the bar has to say of a run."""
    summary = json.loads((run / "summary.json").read_text())
    return "No answer" if summary["validity"]["verdict"] == "INVALID" else str(summary["recommendation_reason"])


def check_cells(shown: list[dict[str, str]], run: Path) -> None:
    """What the tab shows is what summary.json and the records say."""
    import pandas

    records = pandas.read_parquet(run / "records")
    summary = json.loads((run / "summary.json").read_text())
    assert len(shown) == len(summary["cells"]) == 2
    for row, cell in zip(shown, summary["cells"], strict=True):
        sent = records[records.concurrency == cell["concurrency"]]
        throttled = sent[(sent.phase == "measure") & sent.failure.fillna("").str.startswith("throttled")]
        assert row["usd"] == f"{sent.usd.sum():.4f}"
        assert row["throttled"] == str(len(throttled)) != "0"
        assert row["ttft_p95"].endswith(f"({cell['ttft_s']['n']})")
        let_in = sent[(sent.phase == "measure") & ~sent.failure.fillna("").str.startswith("throttled")]
        prompts = let_in.input_tokens.fillna(let_in.prompt_tokens)
        a_minute = 60 * (prompts + let_in.max_tokens).sum() / cell["duration_s"]
        taken, quota, share = re.fullmatch(r"([\d,]+) of ([\d,]+) \((\d+) %\)", row["quota"]).groups()  # type: ignore[union-attr]
        assert (float(taken.replace(",", "")), quota) == (pytest.approx(a_minute, rel=1e-3), "100,000")
        assert float(share) == pytest.approx(a_minute / 1000, abs=0.51)
        if cell["ttft_s"]["p95"] is not None:
            assert row["ttft_p95"].startswith(f"{cell['ttft_s']['p95'] * 1000:.0f} ms")
        assert row["tokens"] == f"{60 * cell['output_tokens_per_s']:,.0f}"
        assert row["verdict"] == {True: "met", False: "not met", None: "undecided"}[cell["meets_objectives"]]


def check_times(points: list[dict[str, Any]], run: Path) -> None:
    """The charts' points are of the records: what ended between two looks at a window, and the dollars so far."""
    import pandas

    records = pandas.read_parquet(run / "records")
    measured = records[records.phase == "measure"]
    assert points and sum(point["failed"] for point in points) <= (measured.outcome != "ok").sum()
    for before, point in itertools.pairwise(points):
        if before["cell"] != point["cell"]:
            continue
        near = measured[(measured.ended_at > before["at"] - 1.5) & (measured.ended_at <= point["at"] + 0.1)]
        assert 0 < point["answers"] <= (near.outcome == "ok").sum()
        assert near.ttft_s.min() * 0.98 <= point["ttft_p50"] <= point["ttft_p95"] <= near.ttft_s.max() * 1.02
        assert near.tpot_s.min() * 0.98 <= point["tpot_p50"] <= near.tpot_s.max() * 1.02
        assert near.e2e_s.min() * 0.98 <= point["e2e_p95"] <= near.e2e_s.max() * 1.02
        so_far = records[records.ended_at <= point["at"] + 0.1].usd.sum()
        assert 0 < point["usd"] <= so_far * 1.0001


def test_the_page_stays_until_it_is_interrupted_and_the_run_keeps_its_status(site: Site) -> None:
    wait_until(lambda: any(row["state"] == "measuring" for row in tables(site)["cells"]))
    assert [row["state"] for row in tables(site)["cells"]][-1] == "to come"
    wait_until(lambda: end(site)["report"], ENDS_IN_S)
    run = run_of(site)
    assert answer(run) in end(site)["answer"]

    served = site.ask("/study/report.html")
    assert served[2] == (run / "report.html").read_text()
    assert served[1]["Content-Security-Policy"].startswith("sandbox ")
    for other in ("config.yml", "manifest.json", "plots/../manifest.json", "plots/%2e%2e/config.yml", "cells.jsonl"):
        assert site.ask(f"/study/{other}")[0] == 404, other
    assert site.ask("/study/report.html", site.token(), b"x")[0] == 405, "it is only read"
    assert site.ask("/study/report.html", {"Host": "evil.example"})[0] == 403
    assert site.ask("/study/end", {"Sec-Fetch-Site": "cross-site"})[0] == 403

    check_cells(tables(site)["cells"], run)
    over_time = tables(site)["times"]
    assert over_time and all(row["tokens"] != "-" for row in over_time)
    check_times(json.loads(site.ask("/study/times")[2])["rows"], run)
    assert "study/times" in site.ask("/study/charts.js")[2]
    keys = {row["name"]: row["value"] for row in tables(site)["configuration"]}
    assert keys["models[0].label"] == "lite" and keys["load.concurrency"] == "2, 3"

    site.process.send_signal(signal.SIGINT)
    out, said = site.process.communicate(timeout=60)
    assert site.process.returncode == 0, said
    assert out.splitlines()[-1] == str(run.relative_to(site.folder)) or out.splitlines()[-1].endswith(run.name)
    assert "stays until it is closed" in said and "Traceback" not in said


def test_an_interrupt_in_the_middle_ends_the_page_too(site: Site) -> None:
    wait_until(lambda: any(row["state"] == "measuring" for row in tables(site)["cells"]))
    site.process.send_signal(signal.SIGINT)
    _, said = site.process.communicate(timeout=60)
    assert site.process.returncode == 130, said


def shows(page: Browser, words: str) -> Any:
    return wait_until(lambda: (text := page.text()) and words in text and text, ENDS_IN_S)


@pytest.mark.browser
@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")
def test_a_run_by_clicking_with_stop_and_close(site: Site, tmp_path: Path) -> None:
    with browser(f"http://127.0.0.1:{site.port}/", tmp_path) as page:
        wait_until(lambda: page.click("Cells"))
        shows(page, "to come")
        wait_until(lambda: "complete" in page.text() and "measuring" in page.text())
        wait_until(lambda: page.click("Stop"))
        shows(page, "Open the report")
        run = run_of(site)
        assert [line["status"] for line in lines(run / "cells.jsonl")] == ["complete", "stopped"]
        assert json.loads((run / "manifest.json").read_text())["accounting"]["abandoned"] == 0, "Stop drains"
        assert answer(run) in page.text()

        wait_until(lambda: page.click("Cells"))
        assert "not run" not in shows(page, "stopped by hand"), "a cell that was begun has its row"
        done = tables(site)["cells"][0]
        for key in ("ttft_p95", "e2e_p95", "tokens", "throttled", "usd"):
            assert done[key] in page.text()
        summary = json.loads((run / "summary.json").read_text())
        measured = next(cell for cell in summary["cells"] if cell["concurrency"] == 2)
        assert done["tokens"] == f"{60 * measured['output_tokens_per_s']:,.0f}"
        page.picture(tmp_path / "end.png")
        wait_until(lambda: page.click("Over time"))
        shows(page, "USD OF THE RUN" if "USD OF THE RUN" in page.text() else "USD of the run")
        charts = wait_until(lambda: page.value(CHARTS), ENDS_IN_S)
        points = json.loads(site.ask("/study/times")[2])["rows"]
        assert [chart["name"] for chart in charts] == NAMES
        assert [chart["dots"] for chart in charts[:3]] == [2 * len(points)] * 3, "p50 and p95 of each interval"
        assert f"so far {points[-1]['usd']:.4g}"[:11] in charts[4]["title"]
        assert "100K" in charts[5]["title"], "the quota"
        page.picture(tmp_path / "over-time.png")
        wait_until(lambda: page.click("Configuration"))
        wait_until(lambda: page.value("document.getElementById('fmbench-charts') === null"))
        shows(page, "models[0].label")
        page.picture(tmp_path / "configuration.png")
        wait_until(lambda: page.click("Close"))
    site.process.communicate(timeout=60)
    assert site.process.returncode == 130, "Stop is an interrupt, whenever the page is closed"
