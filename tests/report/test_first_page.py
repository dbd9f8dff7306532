"""The first page: the answer before the evidence, no winner where none is, and every number from the summary."""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fmbench.report.first_page.head import elsewhere
from fmbench.run.closing import closing_table, settling_lines
from fmbench.storage.reader import LocalRun
from tests.report.support import NOVA, Study, make, reported
from tests.report.test_files import cells_of, table_blocks

ReportOf = Callable[[str], LocalRun]
CONSTANT = {"95", "90", "10,000"}
"""Numbers that are words: 95 % interval, p95, nine in ten, per 10,000."""


def first_page(run: LocalRun) -> str:
    """The Markdown before the first section."""
    return (run.path / "report.md").read_text().split("\n## ")[0]


def summary_of(run: LocalRun) -> dict[str, Any]:
    """The summary that stands beside the report."""
    found: dict[str, Any] = json.loads((run.path / "summary.json").read_text())
    return found


def numbers_in(value: Any) -> Iterator[float]:
    """Every number of a summary, those inside its sentences too."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(inner)
    elif isinstance(value, str):
        yield from (float(text.replace(",", "")) for text in re.findall(r"\d[\d,]*\.?\d*", value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def decimals(text: str) -> int:
    """How many decimals a number is shown with."""
    return len(text.partition(".")[2])


def shown_as(text: str, value: float) -> bool:
    """Whether ``value`` (or its hundredfold as per cent, or thousandfold as milliseconds) is what ``text`` shows, rounded."""
    number, places = float(text.replace(",", "")), decimals(text)
    step = 0.51 * 10 ** (-places) if places else max(0.51, 0.0051 * number)
    return any(abs(abs(value) * scale - number) <= step for scale in (1, 100, 1000))


@pytest.mark.parametrize("name", ["normal", "one", "none_feasible", "undecided", "no_price", "nothing_answered"])
def test_every_number_is_in_the_summary(report_of: ReportOf, name: str):
    run = report_of(name)
    page, summary = first_page(run).split("\n", 3)[3], summary_of(run)
    for word in {cell[key] for cell in summary["cells"] for key in ("model", "bucket")}:
        page = page.replace(word, "")
    page = re.sub(r"p9[059]|p50|plots/\S+|2,000–3,000", "", page)
    known = [*numbers_in(summary), *(len(cell["model"]) for cell in summary["cells"])]
    known += [summary["accounting"]["by_outcome"]["ok"] + summary["accounting"]["by_outcome"]["failed"]]
    prices = [cell["usd_per_10k"] for cell in summary["cells"] if cell["usd_per_10k"] is not None]
    strange = [
        text
        for text in re.findall(r"\d[\d,]*\.?\d*", page)
        if text.rstrip(",") not in CONSTANT and not any(shown_as(text.rstrip(",").rstrip("."), value) for value in known)
    ]
    assert [text for text in strange if not any(shown_as(text, value) for value in middles(prices))] == []


def middles(prices: list[float]) -> list[float]:
    """What a median over some of the prices can be."""
    return [(one + other) / 2 for one in prices for other in prices]


def test_the_decision_table_has_the_summary_s_figures(report_of: ReportOf):
    run = report_of("normal")
    summary = summary_of(run)
    [table] = table_blocks(first_page(run))
    rows = {cells[0].strip("*"): cells for cells in map(cells_of, table[2:])}
    assert list(rows) == ["nova-lite", "claude-haiku-4-5", "llama-3.3-70b"]
    for model, cells in rows.items():
        level = int(cells[2])
        [cell] = [
            cell
            for cell in summary["cells"]
            if (cell["model"], cell["bucket"], cell["concurrency"]) == (model, "en_2000-3000", level)
        ]
        figures = (cell["ttft_s"], "p95"), (cell["e2e_s"], "p95")
        for text, (stats, quantile) in zip(cells[3:5], figures, strict=True):
            value, low, high = (float(number) for number in re.findall(r"[\d.]+", text))
            assert value == pytest.approx(stats[quantile], rel=0.005)
            assert [low, high] == pytest.approx(stats["ci95"][quantile], rel=0.005)
        assert float(re.findall(r"[\d.]+", cells[5])[0]) == pytest.approx(cell["transactions_per_minute"], rel=0.005)
        prices = [float(number) for number in re.findall(r"\$([\d.]+)", cells[-1])]
        assert prices == pytest.approx([cell["usd_per_10k"], *cell["usd_per_10k_ci95"]], abs=0.006)


def test_the_answer_is_the_summary_s_recommendation(report_of: ReportOf):
    run = report_of("normal")
    chosen = summary_of(run)["recommendation"]
    assert f"**Pick {chosen['model']} at {chosen['concurrency']} users.**" in first_page(run)
    assert f"runner-up, {chosen['runner_up']['model']} at" in first_page(run)


def test_the_answer_is_three_sentences(report_of: ReportOf):
    answer = answer_of(report_of("normal"))
    assert len(re.findall(r"\.(?= |$)", answer.split("**", 2)[2])) == 3


def test_no_model_is_picked_where_none_meets_the_objectives(report_of: ReportOf):
    page = first_page(report_of("none_feasible"))
    assert "**No answer: no model meets the objectives.**" in page
    assert "Pick" not in page
    for model in ("nova-lite", "claude-haiku-4-5", "llama-3.3-70b"):
        assert re.search(rf"^\| {re.escape(model)} \| fails .*TTFT p95 ≤ 0.3", page, re.MULTILINE)


def test_undecided_is_said_as_such_with_the_requests_it_takes(report_of: ReportOf):
    run = report_of("undecided")
    page, needed = first_page(run), summary_of(run)["verdicts"]
    nearest = next(found["nearest"] for found in needed if found["bucket"] == "en_2000-3000")
    assert "**No answer yet: undecided." in page
    assert "Pick" not in page
    assert nearest is not None
    assert re.search(r"about [\d,]+ requests more", page)


def test_beside_the_answer_stands_what_the_run_could_tell_and_what_is_open_takes(report_of: ReportOf):
    normal, undecided = report_of("normal"), report_of("undecided")
    least = next(found for found in summary_of(normal)["verdicts"] if found["bucket"] == "en_2000-3000")["least_seen"]
    shown = re.search(
        r"A difference in cost of \$([\d.]+)\S* .*or more between .* would be seen in nine of ten such runs", first_page(normal)
    )
    assert shown is not None and float(shown[1]) == pytest.approx(least["difference"], rel=0.01)
    takes = next(found for found in summary_of(undecided)["verdicts"] if found["bucket"] == "en_2000-3000")["to_settle"]
    shown = re.search(r"To settle what is open: about ([\d,]+) requests more, \$([\d.]+)\*\*", first_page(undecided))
    assert shown is not None and int(shown[1].replace(",", "")) == takes["requests"]
    assert float(shown[2]) == pytest.approx(takes["usd"], abs=0.006)
    assert settling_lines(summary_of(undecided))[-1].startswith(f"To settle what is open: about {shown[1]} requests more")


def test_both_questions_are_answered_where_prompts_differ_and_were_asked_again(tmp_path: Path):
    """Each of 50 prompts has a cost of its own, the same at each of some five requests."""
    made = make(Study(models=(NOVA,), buckets=("en_2000-3000",), levels=(4,), requests=300))
    usual = {f"p{number}": 0.0005 + 0.00002 * number for number in range(50)}
    made.frame["usd"] = made.frame["prompt_id"].map(usual).where(made.frame["outcome"] == "ok")
    run = reported(made, tmp_path / "run")
    page, [cell] = first_page(run), summary_of(run)["cells"]
    assert "95 % intervals, for prompts like these." in page
    assert re.search(r"\*\*For these (49|50) prompts alone\*\*.*nova-lite cost \$", page)
    answers = made.frame[(made.frame["outcome"] == "ok") & (made.frame["phase"] == "measure")]
    each_alike = 10_000 * float(answers.groupby("prompt_id")["usd"].mean().mean())
    assert cell["these_prompts"]["ci95"]["usd_per_10k"] == pytest.approx(sorted([cell["usd_per_10k"], each_alike]))
    assert cell["usd_per_10k_ci95"][1] > 1.05 * cell["usd_per_10k"]


def test_a_figure_that_the_sample_is_too_small_for_says_what_it_takes(report_of: ReportOf):
    run = report_of("undecided")
    has = {cell["ttft_s"]["n"] for cell in summary_of(run)["cells"]}
    said = re.findall(r"— \(needs 72, has (\d+)\)", first_page(run))
    assert said
    assert {int(number) for number in said} <= has


def test_an_unknown_price_is_not_zero(report_of: ReportOf):
    page = first_page(report_of("no_price"))
    assert re.search(r"^\| nova-lite .*— \(price unknown\) \|$", page, re.MULTILINE)
    assert "$0" not in page


@pytest.mark.parametrize("name", ["nothing_sent", "nothing_answered"])
def test_a_run_without_answers_is_invalid_and_picks_nothing(report_of: ReportOf, name: str):
    page = first_page(report_of(name))
    trusted, answer = page.index("> **INVALID: these numbers cannot be trusted.**"), page.index("**No answer")
    assert trusted < answer
    assert "Pick" not in page


def answer_of(run: LocalRun) -> str:
    """The paragraph that is the answer."""
    return next(part for part in first_page(run).split("\n\n")[3:] if part.startswith("**"))


def test_nothing_sent_is_said_first(report_of: ReportOf):
    assert answer_of(report_of("nothing_sent")).startswith("**No answer: no request was sent.**")


def test_nothing_answered_is_said_with_the_commonest_failure(report_of: ReportOf):
    run = report_of("nothing_answered")
    kind, most = next(iter(run.records(["failure"])["failure"].value_counts().items()))
    answer = answer_of(run)
    assert answer.startswith(f"**No answer: none of the {len(run.records(['seq'])):,} requests was answered.**")
    assert f"`{kind}` ({most:,})" in answer


def test_throttling_is_the_quota_s_and_not_the_model_s(report_of: ReportOf):
    run = report_of("half_throttled")
    answer = answer_of(run)
    assert answer.startswith("**No answer: no model meets the objectives.**")
    assert "100\u202f% are throttling: the account's quota is the limit" in answer
    nearest = next(found["nearest"] for found in summary_of(run)["verdicts"] if found["bucket"] == "en_2000-3000")
    shown = re.search(r"fails error rate ≤ 5\u202f% \(it has ([\d.]+)", answer)
    assert shown is not None
    assert float(shown[1]) == pytest.approx(100 * nearest["fails"][0]["value"], abs=0.06)


def test_a_run_that_never_came_to_its_bucket_says_why(report_of: ReportOf):
    page = first_page(report_of("ended_early"))
    assert page.startswith("# Does nova-lite meet the objectives for prompts of 2,000")
    assert "**No answer for prompts of 2,000–3,000 tokens" in page
    assert "The run ended early: the endpoint is gone." in page


def test_validity_and_every_finding_are_on_the_page(report_of: ReportOf):
    for name in ("normal", "undecided", "many"):
        run = report_of(name)
        found = summary_of(run)["validity"]
        page = first_page(run)
        assert f"> **{found['verdict']}: these numbers can" in page
        for finding in found["findings"]:
            assert finding["message"] in page


def test_the_counts_of_failures_and_the_bill_are_the_records(report_of: ReportOf):
    run = report_of("normal")
    records = run.records()
    text = (run.path / "report.md").read_text()
    kinds = records["failure"].value_counts()
    for kind, number in kinds.items():
        assert re.search(rf"^\| `{kind}` \|.*\| {number} \|$", text, re.MULTILINE)
    total = records["usd"].sum()
    measured = records.loc[records["phase"] == "measure", "usd"].sum()
    bill = next(line for line in text.splitlines() if line.startswith("| **all** | 5,400"))
    amounts = [float(amount) for amount in re.findall(r"\$([\d.]+)", bill)]
    assert amounts == pytest.approx([measured, total - measured, total], abs=0.006)


def test_a_model_that_was_measured_alone_is_not_said_to_be_better_than_others(report_of: ReportOf):
    page = first_page(report_of("one"))
    assert "No other model was measured." in page and "runner-up" not in page


def test_a_price_that_is_missing_makes_the_answer_uncertain(report_of: ReportOf):
    page = first_page(report_of("no_price"))
    assert "It is not certain" in page
    assert re.search(
        r"The price of nova-lite, which meets every objective too, is not known: under \$[\d.]+ per 10,000 it would be chosen",
        page,
    )


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("aws", False),
        (None, False),
        ("https://bedrock-runtime.eu-west-1.amazonaws.com", False),
        ("https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com", False),
        ("http://127.0.0.1:9999", True),
        ("https://amazonaws.com.example.net", True),
        ("http://[not a url", True),
    ],
)
def test_an_endpoint_that_is_not_aws_s_is_in_the_head(endpoint: str | None, said: bool):
    assert elsewhere(endpoint) == said


def test_an_invalid_run_picks_nothing_and_says_so_first(tmp_path: Path):
    made = make(Study(levels=(1,)))
    made.manifest["workers"][0]["lost"] = True
    made.manifest["endpoint"] = "http://127.0.0.1:9999"
    page = first_page(reported(made, tmp_path / "run"))
    assert "**against `http://127.0.0.1:9999`, not AWS**" in page
    trusted = page.index("> **INVALID: these numbers cannot be trusted.**")
    assert trusted < page.index("**No answer: the run is INVALID.** Cure what is said above, and run it again.")
    assert "**Pick" not in page


def test_pictures_are_no_taller_than_a_slide_and_long_tables_open_on_a_click(report_of: ReportOf):
    run = report_of("many")
    for path in (run.path / "plots").glob("*.png"):
        width, height = struct.unpack(">II", path.read_bytes()[16:24])
        assert height <= 0.75 * width, path.name
    rows = 0
    for line in re.sub(r"<details>.*?</details>", "", (run.path / "report.md").read_text(), flags=re.DOTALL).splitlines():
        rows = rows + 1 if line.startswith("|") else 0
        assert rows <= 16 + 2, line


def test_definitions_say_what_the_judge_does(report_of: ReportOf):
    page = (
        (report_of("normal").path / "report.md").read_text().split("## Definitions")[1].split("\n## ")[0].replace("\u202f", " ")
    )
    limits = summary_of(report_of("normal"))["objectives"]
    needed = math.ceil(math.log(0.05) / math.log(1 - limits["error_rate"]))
    assert f"it takes {needed} requests without a failure." in page
    assert "lies at or above 95 %, not met when it lies below; it takes 72 answers, all within." in page


@pytest.mark.parametrize(
    ("objectives", "said"),
    [
        (
            {"ttft_p95_s": 1.5, "ttft_p99_s": 3, "e2e_p50_s": 5, "error_rate": 0.05},
            "the share that got a whole answer with text, TTFT ≤ 3 s and end to end ≤ 5 s. Of several limits on one latency the "
            "widest counts.",
        ),
        ({"ttft_text_p90_s": 2}, "the share that got a whole answer with text and TTFT of text ≤ 2 s."),
        ({"error_rate": 0.05}, "the share that got a whole answer with text (no latency objective is set)."),
    ],
)
def test_goodput_is_defined_by_the_limits_that_it_is_counted_by(tmp_path: Path, objectives: dict[str, float], said: str) -> None:
    study = Study(levels=(4,), requests=60, buckets=("en_2000-3000",), objectives=objectives)
    report = (reported(make(study), tmp_path / "run").path / "report.md").read_text().replace("\u202f", " ")
    assert f"Of all requests sent, failures included, {said}" in report


def test_each_model_is_shown_where_it_is_compared_on_the_page_and_in_the_terminal(tmp_path: Path):
    """With the latency to decide, at the fewest users: as the sentence has them."""
    made = make(Study(requests=200, objectives={"ttft_p95_s": 9.0, "prefer": "latency"}))
    run = reported(made, tmp_path / "run")
    [table] = table_blocks(first_page(run))
    assert {cells[2] for cells in map(cells_of, table[2:])} == {"1"}
    assert "the level of the lowest latency at which it meets every objective" in first_page(run)
    closing = closing_table(summary_of(run))
    assert closing is not None and {*map(str, closing.columns[1].cells)} == {"1"}


def test_without_objectives_no_model_is_said_to_meet_any(tmp_path: Path):
    run = reported(make(Study(requests=120, objectives={})), tmp_path / "run")
    page = first_page(run)
    assert "No objective is set; it answers" in answer_of(run)
    assert not re.search(r"meets (all|every)", page)
    closing = closing_table(summary_of(run))
    assert closing is not None and {*map(str, closing.columns[9].cells)} <= {"no objective", "not met"}


def test_a_model_that_meets_only_above_a_level_in_doubt_is_shown_by_that_level(report_of: ReportOf):
    """71 answers with one user, of the 72 that a p95 takes; with 16 users every objective is met."""
    run = report_of("long_names")
    verdict = next(found for found in summary_of(run)["verdicts"] if found["bucket"] == "en_2000-3000")
    doubted = [row for row in verdict["models"] if row["status"] != "met" and True in row["levels"].values()]
    [table] = table_blocks(first_page(run))
    shown = [cells for cells in map(cells_of, table[2:]) if "undecided" in cells[1]]
    assert len(shown) == len(doubted) > 0
    assert {cells[2] for cells in shown} == {str(row["closest"]["concurrency"]) for row in doubted}
    assert "that lower level is shown" in first_page(run)
