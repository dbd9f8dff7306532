"""What a report says of other limits comes true: of random studies each stated limit is set, as ``report RUN --set`` does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fmbench.core.summary import summarise
from fmbench.core.table import COLUMNS as SUMMARY_COLUMNS
from fmbench.report import write_report
from fmbench.report.summary import worded
from fmbench.run.what_if import what_if
from tests.report.support import Made, Study, make, store

BUCKET = "en_500-1000"
LIMITS = ("ttft_p95_s", "e2e_p95_s", "tpot_p95_s", "ttft_p50_s", "e2e_p90_s", "ttft_p75_s")
TITLES = {"TTFT": "ttft", "end to end": "e2e", "TPOT": "tpot"}
STATED = re.compile(
    r"With a limit of (?P<limit>[\d.,]+).(?P<unit>s|ms) on (?P<title>[A-Za-z ]+) (?P<percent>p[\d.]+), and not of [^,]+, "
    r"(?P<model>\S+) at (?P<users>\d+) users? would be chosen\."
)


def study_of(seed: int) -> Study:
    """Two to five models at up to four levels: throttled, timed out and without a price by chance, under chance's limits."""
    random = np.random.default_rng(seed)
    models = []
    for number in range(int(random.integers(2, 6))):
        failures: dict[str, float] = {}
        if random.random() < 0.5:
            failures["throttled_requests"] = float(random.choice([0.002, 0.01, 0.03, 0.08]))
        if random.random() < 0.3:
            failures["timeout_first_byte"] = float(random.choice([0.003, 0.02]))
        pace = {
            "ttft_s": float(random.uniform(0.1, 1)),
            "ttft_per_1k": float(random.uniform(0.02, 0.2)),
            "slowdown": float(random.uniform(0, 0.1)),
            "tpot_s": float(random.uniform(0.004, 0.03)),
        }
        tokens, unpriced = int(random.integers(20, 150)), random.random() < 0.15
        price = None if unpriced else (float(random.uniform(0.03, 3)), float(random.uniform(0.1, 15)))
        name = f"model-{number}"
        models.append(Made(name, f"us.maker.{name}-v1:0", **pace, output_tokens=tokens, failures=failures, price=price))
    chosen = random.choice([1, 2, 4, 8, 16, 24], int(random.integers(1, 5)), replace=False)
    asked: dict[str, Any] = {"bucket": BUCKET, "prefer": str(random.choice(["cost", "cost", "latency", "throughput"]))}
    for key in random.choice(LIMITS, int(random.integers(1, 4)), replace=False):
        usual = {"ttft": 1.5, "e2e": 5.0, "tpot": 0.04}[key.split("_")[0]]
        asked[str(key)] = float(f"{usual * random.uniform(0.4, 2.5):.3g}")
    if random.random() < 0.6:
        asked["error_rate"] = float(random.choice([0.01, 0.02, 0.05, 0.1]))
    if random.random() < 0.3:
        asked["usd_per_10k"] = float(f"{random.uniform(1, 60):.3g}")
    requests = int(random.choice([60, 120, 240, 400]))
    levels = tuple(sorted({int(level) for level in chosen}))
    return Study(tuple(models), (BUCKET,), levels, requests, seed, asked)


def stated_come_true(seed: int, folder: Path, *, on_page: bool) -> int:
    """How many limits the report of a random study states, on its page or in summary.json; each is tried on the stored run."""
    run = store(make(study_of(seed)), folder)
    summary = summarise(run.records(list(SUMMARY_COLUMNS)), run.manifest, run.health())
    if on_page:
        write_report(run, summary)
        text = (run.path / "report.md").read_text()
    else:
        text = "\n".join(worded(summary)["verdicts"][0]["what_would_change"])
    found = list(STATED.finditer(text))
    prices = re.findall(r"is not known: under .* it would be chosen\.", text)
    assert len(found) == text.count("would be chosen.") - len(prices), "every such sentence is tried, but those of prices"
    for stated in found:
        limit = float(stated["limit"].replace(",", "")) / (1000 if stated["unit"] == "ms" else 1)
        key = f"objectives.{TITLES[stated['title']]}_{stated['percent']}_s={limit:.10g}"
        chosen = what_if(run, [key], None)["recommendation"]
        assert chosen is not None, (seed, key)
        assert (chosen["model"], chosen["concurrency"]) == (stated["model"], int(stated["users"])), (seed, key)
    return len(found)


@pytest.mark.parametrize(("seed", "stated", "on_page"), [(4, 2, True), (7, 2, False), (13, 2, False)])
def test_a_limit_that_would_rule_one_out_and_another_in_does(seed: int, stated: int, on_page: bool, tmp_path: Path):
    assert stated_come_true(seed, tmp_path / "run", on_page=on_page) == stated


@pytest.mark.long
def test_of_many_random_studies_every_stated_limit_comes_true(tmp_path: Path):
    assert sum(stated_come_true(seed, tmp_path / str(seed), on_page=False) for seed in range(100, 160)) >= 10
