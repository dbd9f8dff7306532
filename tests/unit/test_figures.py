"""The registry of figures: any percentile can be asked for, nothing unknown passes, and nobody else compares a figure's key."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from fmbench.config.schema import Config
from fmbench.core.figures.figure import UnknownFigure
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.figures.registry import FIGURES, OBJECTIVES, of_key, of_objective, of_rule
from fmbench.core.objectives import objectives_of
from fmbench.core.records import COLUMNS
from fmbench.core.rulings import compare
from tests.unit.made import Cellful, row, run_of, summarise

PACKAGE = Path(__file__).resolve().parents[2] / "fmbench"
COLUMN = "quality"
"""The name of a column of scores too."""
NAMES = {name for figure in FIGURES for name in (figure.key, figure.rule, figure.objective) if name}


@pytest.mark.parametrize(("percent", "floor"), [("50", 6), ("75", 13), ("90", 36), ("95", 72), ("99", 368), ("99.9", 3688)])
def test_any_percentile_of_any_latency_is_a_figure_with_its_floor(percent: str, floor: int) -> None:
    share = float(percent) / 100
    assert share**floor <= 0.025 < share ** (floor - 1)  # the floor, by hand
    for latency in LATENCIES:
        figure = of_objective(f"{latency.key}_p{percent}_s")
        assert figure.samples_needed == floor
        assert figure is of_objective(figure.key) and figure == of_rule(f"{latency.key}_p{percent}") == of_key(figure.key)


@pytest.mark.parametrize("name", ["", "speed", "ttft_p100_s", "ttft_p0_s", "ttft_p095_s", "ttft_p95", "quality", "e2e_mean_s"])
def test_an_unknown_objective_raises(name: str) -> None:
    with pytest.raises(UnknownFigure):
        of_objective(name)
    with pytest.raises(UnknownFigure):
        objectives_of({"bucket": "en_1-500", name: 1.0})


@pytest.mark.parametrize("name", ["speed", "ttft_p100", "ttft_p95_s", "quality_min", "ttft"])
def test_an_unknown_rule_raises(name: str) -> None:
    with pytest.raises(UnknownFigure):
        of_rule(name)


def test_names_are_of_one_figure_each_and_columns_are_record_columns() -> None:
    assert len(NAMES) == len({figure.key for figure in FIGURES} | {figure.rule for figure in FIGURES} | set(OBJECTIVES))
    assert len({figure.key for figure in FIGURES}) == len(FIGURES)
    assert {column for figure in FIGURES for column in figure.columns} <= {*COLUMNS, "quality"}


def test_a_percentile_is_asked_for_by_configuration_alone() -> None:
    """From the file to the summary: the configuration takes it, the cell states it, judges it and ranks by it."""
    objectives = {"ttft_p75_s": 0.5, "e2e_p99.9_s": 10.0}
    config = Config.model_validate({"models": [{"id": "a.id"}], "objectives": objectives})
    values = np.random.default_rng(3).lognormal(0, 0.2, 80)
    records, manifest = run_of([Cellful([row(k / 10, float(v)) for k, v in enumerate(values)])], config.objectives.model_dump())
    summary = summarise(records, manifest, pd.DataFrame())
    cell = summary["cells"][0]
    assert cell["ttft_s"]["p75"] == pytest.approx(np.quantile(values / 4, 0.75))
    assert cell["ttft_s"]["ci95"]["p75"][0] < cell["ttft_s"]["p75"] < cell["ttft_s"]["ci95"]["p75"][1]
    judged = {item["objective"]: item for item in cell["objectives"]}
    assert judged["ttft_p75_s"]["status"] == "met"
    assert (judged["e2e_p99.9_s"]["status"], judged["e2e_p99.9_s"]["value"]) == ("undecided", None)
    assert judged["e2e_p99.9_s"]["requests_needed"] == math.ceil(math.log(0.025) / math.log(0.999)) - 80


def test_what_was_not_asked_for_is_not_described() -> None:
    records, manifest = run_of([Cellful([row(k / 10) for k in range(80)])])
    stats = summarise(records, manifest, pd.DataFrame())["cells"][0]["ttft_s"]
    assert list(stats) == ["n", "mean", "p50", "p90", "p95", "p99", "ci95", "n_effective"]


def test_a_comparison_takes_a_rule_on_any_percentile() -> None:
    values = np.random.default_rng(5).lognormal(0, 0.1, 80)
    slow = run_of([Cellful([row(k / 10, 2 * float(value)) for k, value in enumerate(values)])])
    fast = run_of([Cellful([row(k / 10, float(value)) for k, value in enumerate(values)])])
    found = compare(fast, slow, ["e2e_p75 +10%"])
    assert [(ruling.status, ruling.change.figure) for ruling in found.rulings if ruling.change] == [("broken", "e2e_p75")]


@pytest.mark.parametrize("key", ["ttft_p75", "foo_p75_s", "ttft_p100_s", "bucktes"])
@pytest.mark.parametrize("value", [1.0, "en"])
def test_an_unknown_key_of_the_objectives_is_an_unknown_key_whatever_it_holds(key: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"models": [{"id": "a"}], "objectives": {key: value, "error_rate": 2}})
    faults = {(error["loc"], error["type"]) for error in caught.value.errors()}
    assert faults == {(("objectives", key), "extra_forbidden"), (("objectives", "error_rate"), "less_than_equal")}


def comparisons(source: str) -> Iterator[str]:
    """Figures' keys that a module compares with, matches, or looks up in a table of its own: each as ``line: key``."""
    latencies = "|".join(latency.key for latency in LATENCIES)
    percentile = re.compile(rf"({latencies})_(p|mean|p[\d.]+)(_s)?")
    for node in ast.walk(ast.parse(source)):
        suspects: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            suspects = [part for side in (node.left, *node.comparators) for part in (side, *getattr(side, "elts", ()))]
        elif isinstance(node, ast.MatchValue):
            suspects = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("startswith", "endswith"):
            suspects = [part for argument in node.args for part in ast.walk(argument)]
        for part in suspects:
            said = part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
            if said in NAMES - {COLUMN} or percentile.fullmatch(said):
                yield f"{node.lineno}: {said}"


def test_nobody_but_the_figures_compares_a_figure_s_key() -> None:
    found = {
        f"{path.relative_to(PACKAGE)}:{place}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if "core/figures" not in path.as_posix()
        for place in comparisons(path.read_text())
    }
    assert found == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('if name == "error_rate": pass', 1),
        ('if name in ("usd_per_10k", "x"): pass', 1),
        ('if name.startswith("ttft_p"): pass', 1),
        ('match name:\n    case "e2e_p95_s": pass', 1),
        ('row["usd_per_10k"]', 0),
        ('if name == "cost": pass', 0),
    ],
)
def test_the_check_itself_sees_what_it_should(source: str, found: int) -> None:
    assert len(list(comparisons(source))) == found
