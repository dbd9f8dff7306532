"""The pictures show the run's numbers, as PNG and in the browser alike, whatever the run is like."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import plotly.graph_objects
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy import stats

from fmbench.core.summary import summarise
from fmbench.report import charts, write
from fmbench.report.labels import beside, name_on_the_right
from fmbench.report.picture import Axis, Line, Panel, Picture, log_ticks
from fmbench.report.png import draw, png
from fmbench.report.study import Study
from fmbench.report.style import kind_look, look_of
from fmbench.storage.reader import LocalRun
from tests.report.support import HAIKU, NOVA, make, reported
from tests.report.support import Study as MadeStudy

ReportOf = Callable[[str], LocalRun]
NAMES = [chart.name for chart in charts.CHARTS]


def figures_in(run: LocalRun) -> list[dict[str, object]]:
    """The plotly figures of a report, in the order of the page."""
    found = re.search(r'id="figures">(.*?)</script>', (run.path / "report.html").read_text(), re.DOTALL)
    return list(json.loads(found[1]).values()) if found else []


def study_of(run: LocalRun) -> Study:
    """What the charts read of a reported run."""
    return write.study_of(run, json.loads((run.path / "summary.json").read_text()))


def panels_of(run: LocalRun, name: str) -> list[Panel]:
    """The panels of one chart of a run."""
    picture = next(chart for chart in charts.CHARTS if chart.name == name).prepare(study_of(run))
    assert picture is not None
    return list(picture.panels)


def test_every_chart_is_drawn_or_left_out_and_none_fails(run: LocalRun):
    study = study_of(run)
    drawn = {path.stem: matplotlib.image.imread(path) for path in run.path.glob("plots/*.png")}
    for chart in charts.CHARTS:
        picture = chart.prepare(study)
        assert (chart.name in drawn) == (picture is not None), chart.name
        if picture is not None:
            assert picture.title and picture.sentence.endswith(".")
            assert all(panel.marks for panel in picture.panels)
            assert drawn[chart.name].shape[1] == 1200
    assert "## Not drawn" not in (run.path / "report.md").read_text()


def test_a_whole_run_has_every_picture(report_of: ReportOf):
    """But those of a search, which it did not ask for, and of a quota, which nobody knows."""
    drawn = {re.sub(r"-\d+$", "", path.stem) for path in (report_of("normal").path / "plots").iterdir()}
    assert drawn == set(NAMES) - {"search", "quota-time"}


def test_a_run_without_requests_has_no_picture_and_no_empty_one(report_of: ReportOf):
    assert not list(report_of("nothing_sent").path.glob("plots/*"))
    assert "Plotly.newPlot" not in (report_of("nothing_sent").path / "report.html").read_text()


def test_plotly_takes_every_figure_as_valid(run: LocalRun):
    for figure in figures_in(run):
        plotly.graph_objects.Figure(figure)


@pytest.mark.parametrize(("name", "metric"), [("ttft-users", "ttft_s"), ("e2e-users", "e2e_s")])
def test_the_curve_and_its_band_are_the_summary_s(report_of: ReportOf, name: str, metric: str):
    run = report_of("normal")
    cells = json.loads((run.path / "summary.json").read_text())["cells"]
    for panel in panels_of(run, name):
        for line in (mark for mark in panel.marks if isinstance(mark, Line)):
            mine = [cell for cell in cells if cell["bucket"] == panel.title and cell["model"] == line.label]
            assert line.x.tolist() == [cell["concurrency"] for cell in mine]
            assert line.y.tolist() == [cell[metric]["p95"] for cell in mine]
            assert line.low is not None
            assert line.low.tolist() == [cell[metric]["ci95"]["p95"][0] for cell in mine]


def test_the_distribution_is_the_sample_s_own(report_of: ReportOf):
    run = report_of("normal")
    records = run.records()
    chosen = records[(records["phase"] == "measure") & (records["outcome"] == "ok") & (records["concurrency"] == 16)]
    sample = chosen[(chosen["model"] == "nova-lite") & (chosen["bucket"] == "en_2000-3000")]["ttft_s"].to_numpy()
    panel = next(panel for panel in panels_of(run, "distributions") if panel.title == "en_2000-3000: time to first token")
    line = next(mark for mark in panel.marks if isinstance(mark, Line) and mark.label == "nova-lite")
    assert line.y.tolist() == pytest.approx([100 * np.mean(sample <= value) for value in line.x])
    assert (line.x.min(), line.x.max()) == (sample.min(), sample.max())


def test_the_fitted_line_is_numpy_s(report_of: ReportOf):
    run = report_of("one")
    records = run.records()
    chosen = records[(records["phase"] == "measure") & (records["outcome"] == "ok")]
    slope, start = np.polyfit(chosen["input_tokens"].astype(float), chosen["ttft_s"].astype(float), 1)
    line = next(mark for mark in panels_of(run, "prompt-tokens")[0].marks if isinstance(mark, Line))
    assert line.y.tolist() == pytest.approx((start + slope * line.x).tolist())


@pytest.mark.parametrize("per_1k", [0.0, 0.12])
def test_what_prompt_tokens_add_is_said_where_it_is_more_than_chance(per_1k: float, tmp_path: Path):
    """By scipy's own standard error."""
    run = reported(
        make(MadeStudy(models=(replace(NOVA, ttft_per_1k=per_1k),), levels=(4,), requests=200, seed=3)), tmp_path / "run"
    )
    picture = next(chart for chart in charts.CHARTS if chart.name == "prompt-tokens").prepare(study_of(run))
    records = run.records()
    chosen = records[(records["phase"] == "measure") & (records["outcome"] == "ok")]
    found = stats.linregress(chosen["input_tokens"].astype(float), chosen["ttft_s"].astype(float))
    assert picture is not None
    assert ("too little to tell" in picture.sentence) == (abs(found.slope) < 2 * found.stderr) == (per_1k == 0.0)
    assert (f"{1000 * found.slope:.3f} s for" in picture.sentence.replace("\u202f", " ")) == (per_1k > 0)


def test_the_failures_over_time_add_up_to_the_records(report_of: ReportOf):
    run = report_of("normal")
    failed = run.records(["failure"])["failure"].dropna()
    bars = [mark for mark in panels_of(run, "failures-time")[0].marks if hasattr(mark, "height")]
    assert {bar.label: sum(bar.height) for bar in bars} == failed.value_counts().to_dict()


def test_requests_in_flight_are_counted_from_the_records(report_of: ReportOf):
    run = report_of("one")
    records = run.records(["sent_at", "ended_at"])
    panel = next(panel for panel in panels_of(run, "timeline") if panel.title == "Requests in flight")
    line = next(mark for mark in panel.marks if isinstance(mark, Line))
    start = records["sent_at"].min()
    for place in (10, 100, 200):
        moment = start + line.x[place]
        flying = ((records["sent_at"] <= moment) & (records["ended_at"] > moment)).sum()
        assert np.nan_to_num(line.y[place]) == flying


def test_the_picture_in_the_browser_has_the_numbers_of_the_png(report_of: ReportOf):
    run = report_of("normal")
    drawn = [line for name in ("ttft-users", "e2e-users") for panel in panels_of(run, name) for line in panel.marks]
    curves = [trace for figure in figures_in(run) for trace in figure["data"] if "error_y" in trace]
    for line in drawn:
        if isinstance(line, Line):
            assert any(trace["y"] == pytest.approx(line.y.tolist(), rel=1e-4) for trace in curves)


def test_a_model_has_one_colour_everywhere_and_no_two_look_alike():
    looks = [look_of(index) for index in range(40)]
    assert len({(look.colour, look.marker) for look in looks}) == 40
    assert len({(look.marker, look.dash) for look in looks[:7]}) == 7


def test_no_two_kinds_of_failure_look_alike():
    looks = [kind_look(place) for place in range(64)]
    assert len({(look.colour, look.hatch) for look in looks}) == 64


def test_a_chart_that_fails_costs_only_itself(
    report_of: ReportOf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(_: object) -> None:
        raise ZeroDivisionError("a fault of the chart")

    run = report_of("tiny")
    before = (run.path / "report.md").read_text()
    monkeypatch.setattr(write, "CHARTS", (charts.Chart("broken", broken, section="bill"), *charts.CHARTS))
    with caplog.at_level(logging.ERROR):
        write.write_report(run, summarise(run.records(), run.manifest, run.health()))
    after = (run.path / "report.md").read_text()
    assert "broken" in caplog.text
    assert after.replace(" · [Not drawn](#not-drawn)", "").startswith(before.rstrip("\n"))
    assert "`broken`: ZeroDivisionError: a fault of the chart" in after
    monkeypatch.undo()
    write.write_report(run, summarise(run.records(), run.manifest, run.health()))
    assert (run.path / "report.md").read_text() == before


def test_a_single_level_and_a_flat_line_can_be_drawn():
    one = np.array([1.0])
    mark = Line(label="a", look=look_of(0), x=one, y=one, low=one, high=one)
    axis = Axis(label="x")
    picture = Picture(title="t", sentence="s.", panels=(Panel(title="p", x=axis, y=axis, marks=(mark,)),))
    assert png(picture) == png(picture)


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.2), (0.03, 40), (1e-4, 1.0), (2.0, 2.1)])
def test_a_logarithmic_axis_has_few_round_ticks(low: float, high: float):
    ticks = log_ticks(low, high)
    assert len(ticks) <= 12
    assert ticks == sorted(ticks)
    assert all(low <= tick <= high for tick in ticks)


def test_models_stand_side_by_side_at_a_single_level(tmp_path: Path):
    """Else their points and intervals would hide each other."""
    run = reported(make(MadeStudy(levels=(4,), requests=90, buckets=("en_2000-3000",))), tmp_path / "run")
    [panel] = panels_of(run, "ttft-users")
    places = sorted(float(line.x[0]) for line in panel.marks if isinstance(line, Line))
    assert len(places) == 3 and np.diff(places).min() > 0.02
    assert panel.x.low is not None and panel.x.high is not None
    assert panel.x.low < places[0] and places[-1] < panel.x.high


def test_levels_print_over_no_limit_and_over_no_other_level(run: LocalRun):
    _check_levels(run)


def test_levels_give_way_to_the_highest_price_where_it_is_right_above_them(tmp_path: Path):
    limits = {"bucket": "en_2000-3000", "ttft_p95_s": 1.5, "usd_per_10k": 36.0}
    run = reported(make(MadeStudy(models=(NOVA, HAIKU), levels=(4, 16), requests=100, objectives=limits)), tmp_path / "run")
    prices = [cell["usd_per_10k"] for cell in study_of(run).cells if cell["bucket"] == "en_2000-3000"]
    assert 30 < max(prices) < 36, "right below the limit"
    _check_levels(run)


def _check_levels(run: LocalRun) -> None:
    """As they are drawn: the boxes of the numbers, in pixels."""
    for name in ("price-latency", "price-latency-buckets"):
        picture = next(chart for chart in charts.CHARTS if chart.name == name).prepare(study_of(run))
        figure = None if picture is None else draw(picture)
        for axes in figure.axes if figure is not None else ():
            texts = [text for text in axes.texts if re.fullmatch(r"[\d,.]+", text.get_text())]
            boxes = [text.get_window_extent(FigureCanvasAgg(figure).get_renderer()) for text in texts]
            for line in axes.lines:
                across, up = list(line.get_xdata()), list(line.get_ydata())
                x, y = axes.transData.transform((across[0], up[0] or 1))
                if up == [0, 1]:  # a limit across x
                    assert not [text.get_text() for text, box in zip(texts, boxes, strict=True) if box.x0 <= x <= box.x1]
                if across == [0, 1]:  # one across y
                    assert not [text.get_text() for text, box in zip(texts, boxes, strict=True) if box.y0 <= y <= box.y1]
            for k, (one, box) in enumerate(zip(texts, boxes, strict=True)):
                same = [other for other, text in zip(boxes[:k], texts, strict=False) if text.get_color() == one.get_color()]
                assert not any(box.overlaps(other) for other in same)


@pytest.mark.parametrize(
    ("points", "texts", "limit", "stand"),
    [
        ((0.2, 0.5, 0.8), ("1", "4", "16"), None, ("right", "right", "right")),
        ((0.2, 0.35, 0.42), ("1", "4", "16"), 0.5, ("right", "above", "above")),
        ((0.2, 0.21, 0.6), ("1", "4", "16"), None, ("left", "right", "right")),
        ((0.5,), ("16",), 0.505, ("left",)),
    ],
    ids=["room", "a limit near the last", "two in one place", "a limit at the point"],
)
def test_a_level_stands_where_there_is_room(
    points: tuple[float, ...], texts: tuple[str, ...], limit: float | None, stand: tuple[str | None, ...]
):
    assert tuple(one.side if one.text else None for one in beside(points, texts, limit)) == stand


def test_a_limits_name_gives_way_to_what_stands_at_its_left():
    assert name_on_the_right(0.5, [(0.4, 0.47, 0.9)])
    assert not name_on_the_right(0.5, [(0.4, 0.47, 0.3)])  # that is below it
    assert not name_on_the_right(0.5, [(0.4, 0.47, 0.9), (0.52, 0.6, 0.9)])  # there is no better place
    assert not name_on_the_right(0.95, [(0.9, 0.94, 0.9)])


def test_a_model_without_a_price_is_named_where_prices_are_drawn(report_of: ReportOf):
    picture = next(chart for chart in charts.CHARTS if chart.name == "price-latency").prepare(study_of(report_of("no_price")))
    assert picture is not None
    assert "not drawn: nova-lite." in picture.sentence
