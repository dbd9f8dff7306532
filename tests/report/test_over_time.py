"""Which requests a picture is of, and when: attempts that were made again, steady windows, the Pareto front."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fmbench.report.picture import Dots, Line, Rule, Shade
from fmbench.storage.reader import LocalRun
from tests.report.conftest import AGAIN_S, BUCKET
from tests.report.support import START
from tests.report.test_pictures import panels_of, study_of

ReportOf = Callable[[str], LocalRun]


def good_rows(run: LocalRun) -> pd.DataFrame:
    """The answered, measured requests of the attempt that was completed, by the records alone."""
    rows = run.records()
    return rows[(rows["phase"] == "measure") & (rows["outcome"] == "ok") & (rows["sent_at"] >= START)]


def test_the_spoilt_attempt_is_in_the_records(report_of: ReportOf):
    rows = report_of("tried_again").records(["sent_at", "phase"])
    assert ((rows["sent_at"] < START) & (rows["phase"] == "measure")).sum() > 100


@pytest.mark.parametrize("metric", ["ttft_s", "e2e_s", "output_tokens"])
def test_samples_leave_a_spoilt_attempt_out(report_of: ReportOf, metric: str):
    run = report_of("tried_again")
    values = study_of(run).values(metric, "nova-lite", BUCKET, 4)
    assert sorted(values) == sorted(good_rows(run)[metric])


def test_token_gaps_leave_a_spoilt_attempt_out(report_of: ReportOf):
    run = report_of("tried_again")
    gaps = np.concatenate([np.diff(stamps.astype(np.float64)) for stamps in good_rows(run)["content_s"]])
    assert sorted(study_of(run).gaps["nova-lite"]) == pytest.approx(sorted(gaps))


@pytest.mark.parametrize("name", ["distributions", "prompt-tokens", "output-lengths"])
def test_no_point_of_a_spoilt_attempt_is_drawn(report_of: ReportOf, name: str):
    run = report_of("tried_again")
    slowest = max(good_rows(run)["e2e_s"].max(), good_rows(run)["output_tokens"].max(), 100)
    marks = [mark for panel in panels_of(run, name) for mark in panel.marks if isinstance(mark, Line | Dots)]
    along = [mark.x if name == "distributions" else mark.y for mark in marks]
    assert marks
    assert max(np.nanmax(values) for values in along) <= slowest
    if name == "distributions":
        assert max(np.nanmax(values) for values in along) == good_rows(run)["e2e_s"].max()


def test_the_timeline_shows_both_attempts_and_which_counts(report_of: ReportOf):
    run = report_of("tried_again")
    panel = next(panel for panel in panels_of(run, "timeline") if panel.title == "Requests in flight")
    shades = {mark.label: mark for mark in panel.marks if isinstance(mark, Shade)}
    assert set(shades) == {"measured window", "measured again later, does not count"}
    first, second = run.manifest["cells"]
    spoilt, counted = shades["measured again later, does not count"], shades["measured window"]
    assert spoilt.left is not None and counted.left is not None
    assert (counted.left - spoilt.left) * 60 == pytest.approx(second["measure_at"] - first["measure_at"])
    assert second["measure_at"] - first["measure_at"] == pytest.approx(AGAIN_S)


def steady_cell(run: LocalRun) -> dict[str, Any]:
    """The only cell of a run's summary."""
    [cell] = json.loads((run.path / "summary.json").read_text())["cells"]
    found: dict[str, Any] = cell
    return found


def window_bars(run: LocalRun) -> dict[str, Shade]:
    """The bars of the timeline's first panel, by the name of their row."""
    panel = next(panel for panel in panels_of(run, "timeline") if panel.title.startswith("Windows"))
    bars = [mark for mark in panel.marks if isinstance(mark, Shade)]
    return {"window" if (bar.bottom or 0) > 1 else "steady": bar for bar in bars}


def test_where_the_latency_still_changed_the_windows_disagree_and_the_page_says_so(report_of: ReportOf):
    run = report_of("warming_up")
    rows = run.records(["sent_at"]).sort_values("sent_at")
    change = float(rows["sent_at"].iloc[int(0.4 * len(rows))])
    bars, [line] = window_bars(run), run.manifest["cells"]
    assert bars["window"].left == pytest.approx(line["measure_at"] - START, abs=1e-3)
    assert bars["steady"].left == pytest.approx(change - START, abs=0.05 * (line["drain_at"] - line["measure_at"]))
    assert bars["steady"].right == bars["window"].right
    text = (run.path / "report.md").read_text()
    assert "latency was still changing when the measured window began" in text
    assert "The figures are of the whole measured window" in text
    row = next(found for found in text.splitlines() if found.startswith(f"| nova-lite | {BUCKET} | 4 |"))
    shown = re.findall(r"([\d.]+)\u202fs", row.split("|")[4])
    assert [float(number) for number in shown] == pytest.approx(
        [change - line["measure_at"], line["drain_at"] - line["measure_at"]], rel=0.05
    )


def test_figures_are_of_the_measured_window_also_where_it_is_not_steady(report_of: ReportOf):
    run = report_of("warming_up")
    assert steady_cell(run)["e2e_s"]["p50"] == pytest.approx(float(np.quantile(good_rows(run)["e2e_s"], 0.5)))


def test_a_steady_run_says_that_the_windows_agree(report_of: ReportOf):
    run = report_of("one")
    assert window_bars(run)["steady"].left == window_bars(run)["window"].left
    assert "Latency had settled before the measured window began" in (run.path / "report.md").read_text()


def test_the_ringed_cells_are_those_that_no_other_beats(report_of: ReportOf):
    run = report_of("normal")
    cells = [cell for cell in json.loads((run.path / "summary.json").read_text())["cells"] if cell["bucket"] == BUCKET]

    def figures(cell: dict[str, Any]) -> tuple[float, float, float]:
        return cell["e2e_s"]["p95"], cell["usd_per_10k"], -cell["transactions_per_minute"]

    def beaten(cell: dict[str, Any]) -> bool:
        others = [figures(other) for other in cells if other is not cell]
        return any(all(a <= b for a, b in zip(other, figures(cell), strict=True)) for other in others)

    front = {(figures(cell)[0], cell["usd_per_10k"]) for cell in cells if not beaten(cell)}
    panel = next(panel for panel in panels_of(run, "price-latency") if panel.title.endswith("end to end p95"))
    [ring] = [mark for mark in panel.marks if isinstance(mark, Dots) and mark.ring]
    assert set(zip(ring.x.tolist(), ring.y.tolist(), strict=True)) == front
    assert len(front) < len(cells)


def test_a_change_inside_a_window_is_drawn_where_it_is(report_of: ReportOf):
    run = report_of("warming_up")
    rows, [line] = run.records(["sent_at"]).sort_values("sent_at"), run.manifest["cells"]
    change = float(rows["sent_at"].iloc[int(0.4 * len(rows))])
    panel = next(panel for panel in panels_of(run, "timeline") if panel.title.startswith("End-to-end latency"))
    [rule] = [mark for mark in panel.marks if isinstance(mark, Rule)]
    assert (rule.axis, rule.value) == ("x", pytest.approx(change - START, abs=0.05 * (line["drain_at"] - line["measure_at"])))
