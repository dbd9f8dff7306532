"""What a report leaves in the run folder: complete, strict, the same bytes each time, and made of the run alone."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fmbench.storage.reader import LocalRun

ROOT = Path(__file__).resolve().parents[2]
WRITE_AGAIN = """
import sys
from fmbench.core.summary import summarise
from fmbench.report import write_report
from fmbench.storage.reader import open_run
run = open_run(sys.argv[1])
write_report(run, summarise(run.records(), run.manifest, run.health()))
"""


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of what a report wrote."""
    names = [
        "summary.json",
        "summary.csv",
        "report.md",
        "report.html",
        *(f"plots/{path.name}" for path in folder.glob("plots/*")),
    ]
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sorted(names)}


def test_every_file_is_there_and_the_pictures_of_the_page_are(run: LocalRun):
    text = (run.path / "report.md").read_text()
    pictures = set(re.findall(r"!\[[^]]*\]\((plots/[^)]+\.png)\)", text))
    assert pictures == {f"plots/{path.name}" for path in run.path.glob("plots/*")}
    assert all((run.path / name).stat().st_size for name in ("summary.json", "report.md", "report.html"))
    assert not [path.name for path in run.path.rglob(".*")]


def test_the_summary_is_strict_json(run: LocalRun):
    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is no JSON")

    summary = json.loads((run.path / "summary.json").read_bytes(), parse_constant=refuse)
    assert summary["run_id"] == run.manifest["run_id"]


def test_the_csv_has_a_row_a_cell_with_the_same_numbers(report_of: Callable[[str], LocalRun]):
    folder = report_of("normal").path
    cells = json.loads((folder / "summary.json").read_text())["cells"]
    with (folder / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(cells)
    for row, cell in zip(rows, cells, strict=True):
        assert (row["model"], row["bucket"], int(row["concurrency"])) == (cell["model"], cell["bucket"], cell["concurrency"])
        assert float(row["ttft_s.p95"]) == cell["ttft_s"]["p95"]
        assert [float(row[f"e2e_s.ci95.p95.{end}"]) for end in ("low", "high")] == cell["e2e_s"]["ci95"]["p95"]


def test_the_same_bytes_again_in_another_process_place_and_locale(report_of: Callable[[str], LocalRun], tmp_path: Path):
    first = report_of("normal").path
    copy = tmp_path / "somewhere" / "else"
    shutil.copytree(first, copy, ignore=shutil.ignore_patterns("plots", "report.*", "summary.*"))
    (tmp_path / "matplotlibrc").write_text("figure.facecolor: red\nfont.size: 30\nlines.linewidth: 9\n")
    strange = {"PYTHONHASHSEED": "12345", "TZ": "Asia/Tokyo", "MATPLOTLIBRC": str(tmp_path), "MPLBACKEND": "svg"}
    environment = {**os.environ, **strange, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", WRITE_AGAIN, str(copy)], check=True, cwd=tmp_path, env=environment)
    assert digests(copy) == digests(first)


def test_nothing_of_the_machine_is_in_the_report(run: LocalRun):
    for name in ("summary.json", "summary.csv", "report.md", "report.html"):
        assert str(run.path.parent) not in (run.path / name).read_text()


class References(HTMLParser):
    """Collects everything that a browser would fetch or follow."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action", "data", "poster"):
                self.found.append(value or "")


def test_the_html_needs_nothing_from_outside(run: LocalRun):
    text = (run.path / "report.html").read_text()
    page = References()
    page.feed(text)
    assert [link for link in page.found if not link.startswith(("#", "data:,"))] == []
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None and "url(" not in style[1] and "@import" not in style[1]
    anchors = {link[1:] for link in page.found if link.startswith("#")}
    assert anchors <= set(re.findall(r'<section id="([^"]+)"', text))


def test_the_data_of_the_html_is_strict_json(run: LocalRun):
    text = (run.path / "report.html").read_text()
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.DOTALL)
    places = re.findall(r'class="plot" id="([^"]+)"', text)
    if not places:
        assert found is None
        return
    assert found is not None
    figures = json.loads(found[1])
    assert list(figures) == places
    assert "NaN" not in found[1]


def table_blocks(text: str) -> list[list[str]]:
    """The tables of a Markdown text: lines that begin with a pipe, as blocks."""
    blocks, block = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            block.append(line)
        elif block:
            blocks.append(block)
            block = []
    return blocks


def cells_of(line: str) -> list[str]:
    """A row's cells; an escaped pipe parts nothing."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_every_table_of_the_markdown_has_rows_of_one_width(run: LocalRun):
    blocks = table_blocks((run.path / "report.md").read_text())
    assert blocks
    for block in blocks:
        assert re.fullmatch(r"\|(-{3}:?\|)+", block[1]), block[1]
        assert {len(cells_of(line)) for line in block} == {len(cells_of(block[0]))}


def test_names_with_marks_are_shown_and_not_obeyed(report_of: Callable[[str], LocalRun]):
    folder = report_of("long_names").path
    markdown, html = ((folder / name).read_text() for name in ("report.md", "report.html"))
    assert "<b>" not in markdown
    assert "odd\\|name" in markdown
    assert "<b>marks" not in html
    assert "odd|name *with* &lt;b&gt;marks&lt;/b&gt; &amp; `ticks` [x](y)" in html


def test_pictures_of_an_earlier_report_go(report_of: Callable[[str], LocalRun], tmp_path: Path):
    copy = tmp_path / "run"
    shutil.copytree(report_of("tiny").path, copy)
    (copy / "plots" / "of-an-older-version.png").write_bytes(b"")
    subprocess.run([sys.executable, "-c", WRITE_AGAIN, str(copy)], check=True, cwd=ROOT)
    assert not (copy / "plots" / "of-an-older-version.png").exists()


def test_no_number_of_the_html_data_is_infinite(report_of: Callable[[str], LocalRun]):
    text = (report_of("normal").path / "report.html").read_text()
    found = re.search(r'id="figures">(.*?)</script>', text, re.DOTALL)
    assert found is not None

    def check(value: object) -> None:
        if isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                check(inner)
        elif isinstance(value, float):
            assert math.isfinite(value)

    check(json.loads(found[1]))


@pytest.mark.parametrize("name", ["normal", "nothing_sent"])
def test_the_sections_stand_in_their_order(report_of: Callable[[str], LocalRun], name: str):
    titles = re.findall(r"^## (.+)$", (report_of(name).path / "report.md").read_text(), re.MULTILINE)
    whole = [
        "Every bucket",
        "Latency against users",
        "Throughput and goodput against users",
        "How latencies are spread",
        "Output lengths",
        "Every cell",
        "The run over time",
        "Failures",
        "The bill",
        "Quota",
        "Models",
        "Prompts and tokens",
        "Definitions",
        "Configuration and environment",
        "Run it again",
    ]
    expected = {"normal": whole, "nothing_sent": [title for title in whole[7:] if title != "Quota"]}
    assert titles == expected[name]
