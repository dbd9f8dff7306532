"""Where a new thing goes (docs/architecture.md): each change of the core and the report is made on a copy of the package.

Sources, stores and commands are made in test_registries.py; an API and a family in test_apis.py.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

FINDING = """
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import WARNING, Evidence, Finding
from fmbench.core.messages import CellName, Message
from fmbench.core.findings.finding import name_of


@dataclass(frozen=True, slots=True)
class Odd(Message):
    says: ClassVar[str] = "{cell} is odd."
    cell: CellName


def odd(evidence: Evidence) -> Iterator[Finding]:
    for found in evidence.measured:
        yield Finding(WARNING, "oddness", Odd(name_of(found)))


CHECKS = (odd,)
"""
CHART = """
import numpy as np

from fmbench.report.charts.base import Chart
from fmbench.report.picture import Axis, Line, Panel, Picture


def prepare(study):
    line = Line(label="a", look=study.look("a"), x=np.array([0.0, 1.0]), y=np.array([0.0, 1.0]))
    panel = Panel(title="Made", x=Axis(label="x"), y=Axis(label="y"), marks=(line,))
    return Picture(title="A made picture", sentence="It shows a line.", panels=(panel,), caption="")


CHARTS = (Chart("made-picture", prepare, section="definitions"),)
"""
SECTION = """
from fmbench.report.blocks import Text, table
from fmbench.report.section import Section


def blocks(material):
    return [Text("What a made section says."), table(["Word", "Meaning"], [["made", "for a test"]])]


SECTION = Section("A made section", blocks)
"""
OBJECTIVE = """
from fmbench.core.figures.figure import Difference
from fmbench.core.figures.rates import OUTPUT_TOKENS, Rate
from fmbench.core.units import Unit

FIGURES = (
    Rate(
        key="output_tokens_per_s",
        unit=Unit("/s", "a second"),
        less_is_better=False,
        title="output tokens",
        heading="Output tokens a second",
        definition="Output tokens of the answers in the measured window, by its length.",
        columns=("output_tokens", "sent_at", "ended_at"),
        rank=11,
        difference=Difference("gives", "fewer", "more"),
        objective="output_tokens_per_s",
        rate=OUTPUT_TOKENS,
    ),
)
"""
LATENCY = """LATENCIES = (
    Latency(
        "made",
        "made_s",
        "MADE",
        "Made time",
        "Seconds that a test made up.",
        shown=(50,),
        rank=4,
        decides=4,
        always_compared=(50,),
        timed_out="left_out",
    ),
"""
ASK = """
import json, sys, tempfile
from pathlib import Path
sys.path.insert(0, ".")
import fmbench
assert Path(fmbench.__file__).resolve().is_relative_to(Path.cwd()), fmbench.__file__
from fmbench.config.schema import Config
from fmbench.core.rulings import compare
from fmbench.core.summary import summarise
from fmbench.report.comparison import data
from fmbench.report.summary import worded
from tests.report.support import NOVA, Study, make, reported
from dataclasses import replace
asked = json.loads(sys.argv[1])
objectives = Config.model_validate({"models": [{"id": "a"}], "objectives": asked["objectives"]}).objectives.model_dump()
made = make(Study(models=(replace(NOVA, label="a"),), buckets=("en_1-500",), levels=(1, 4), objectives=objectives, requests=120))
made.frame["made_s"] = made.frame["ttft_s"] * 2
with tempfile.TemporaryDirectory() as folder:
    run = reported(made, Path(folder) / "run")
    summary = json.loads((run.path / "summary.json").read_text())
    compared = data(compare((made.frame, made.manifest), (made.frame, made.manifest), asked.get("rules", [])))
    plots = sorted(path.name for path in (run.path / "plots").glob("*.png"))
    print(json.dumps({"summary": summary, "page": (run.path / "report.md").read_text(), "plots": plots, "compared": compared}))
"""


class Copy:
    """A copy of the package and of the tests' support; what is written to it is counted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.touched: set[str] = set()
        for name in ("fmbench", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))

    def write(self, name: str, text: str) -> None:
        (self.folder / "fmbench" / name).write_text(text)
        self.touched.add(name)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / "fmbench" / name).read_text()
        assert text.count(old) == 1, f"{name} has {text.count(old)} of {old!r}"
        self.write(name, text.replace(old, new))

    def ask(self, rules: tuple[str, ...] = (), **objectives: Any) -> dict[str, Any]:
        asked = json.dumps({"objectives": objectives, "rules": rules})
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        done = subprocess.run(
            [sys.executable, "-c", ASK, asked], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_every_change_at_once_each_in_as_many_files_as_the_page_says(copy: Copy) -> None:
    """A finding, a picture, a section and an objective are a file each; a metric on a new column two; a percentile none."""
    copy.write("core/findings/oddness.py", FINDING)
    copy.write("report/charts/made.py", CHART)
    copy.write("report/sections/made.py", SECTION)
    copy.write("core/figures/tokens.py", OBJECTIVE)
    copy.edit("core/figures/latencies.py", "LATENCIES = (\n", LATENCY)
    column = "    tpot_s: float | None = None\n"
    copy.edit("core/records.py", column, f"{column}    made_s: float | None = None\n")
    assert len(copy.touched) == 4 + 2
    rules = ("output_tokens_per_s -10%", "made_p50 +5%", "ttft_p75 +5%")
    told = copy.ask(rules, output_tokens_per_s=1.0, made_p95_s=60.0, ttft_p75_s=60.0)
    summary, page = told["summary"], told["page"].replace("\u202f", " ")
    assert [item["message"] for item in summary["validity"]["findings"] if item["subject"] == "oddness"] == [
        "a, en_1-500, 1 user is odd.",
        "a, en_1-500, 4 users is odd.",
    ]
    assert "**Oddness (warning):** a, en_1-500, 1 user is odd." in page
    assert "made-picture.png" in told["plots"] and "plots/made-picture.png" in page.split("## Definitions")[1]
    assert "## A made section\n\nWhat a made section says." in page and "| made | for a test |" in page
    for cell in summary["cells"]:
        judged = {item["objective"]: item["status"] for item in cell["objectives"]}
        assert {judged[name] for name in ("output_tokens_per_s", "made_p95_s", "ttft_p75_s")} == {"met"}
        assert cell["made_s"]["p50"] == pytest.approx(2 * cell["ttft_s"]["p50"])
    assert "output tokens ≥ 1 a second" in page and "MADE p95 ≤ 60" in page and "TTFT p75 ≤ 60" in page
    compared = {change["figure"] for change in told["compared"]["cells"][0]["changes"]}
    assert {"output_tokens_per_s", "made_p50", "ttft_p75"} <= compared
    assert {ruling["status"] for ruling in told["compared"]["rules"]} <= {"passed", "undecided", "unknown"}


def rows() -> list[tuple[str, str]]:
    table = (ROOT / "docs/architecture.md").read_text().split("## Where a new thing goes")[1].split("\n## ")[0]
    return re.findall(r"^\| ([^|-][^|]*) \| (.+) \|$", table, flags=re.MULTILINE)[1:]


def test_every_place_that_the_page_names_is_there() -> None:
    named = {what: re.findall(r"`((?:[a-z_0-9]+/)+(?:[a-z_0-9]+\.py)?)`", where) for what, where in rows()}
    assert {
        "API",
        "prompt source",
        "metric",
        "picture",
        "section of the report",
        "finding",
        "objective",
        "store",
        "command",
    } <= named.keys()
    for what, places in named.items():
        for place in places:
            assert (ROOT / "fmbench" / place).exists() or (ROOT / place).exists(), f"{what}: {place}"
