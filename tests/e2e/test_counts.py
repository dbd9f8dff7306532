"""Three counts of one run are equal: the records, the endpoint's ledger, Locust's own. So are tokens and money."""

from __future__ import annotations

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.e2e.commands import PRICES, Desk, Ended, files_of, small_config
from tests.support.shared import LONGBENCH
from tests.support.simulator import Endpoint

pytestmark = pytest.mark.slow


def locust_counts(run: Path) -> Counter[str]:
    """Locust's count by request name, out of its own CSV."""
    with (run / "locust" / "stats.csv").open(newline="") as file:
        rows = {row["Name"]: int(row["Request Count"]) for row in csv.DictReader(file)}
    assert rows.pop("Aggregated") == sum(rows.values())
    return Counter(rows)


def assert_three_equal_counts(ended: Ended, ledger: list[dict[str, Any]]) -> pd.DataFrame:
    """Records, ledger and Locust agree request by request, and on what it cost."""
    records = ended.records()
    assert len(records) > 0
    assert len(ledger) == len(records)
    names = records.model + "|" + records.bucket + "|" + records.concurrency.astype(str) + "|" + records.phase
    assert Counter(names) == locust_counts(ended.run)
    assert {row["request_id"] for row in ledger} == set(records.request_id)
    assert not records.duplicated(["run_id", "worker", "user", "seq"]).any()
    assert_same_tokens_and_money(records, ledger)
    return records


def assert_same_tokens_and_money(records: pd.DataFrame, ledger: list[dict[str, Any]]) -> None:
    served = pd.DataFrame([row for row in ledger if row["completed"]])
    ok = records[records.outcome == "ok"]
    assert len(ok) == len(served)
    for column in ("input_tokens", "output_tokens"):
        assert ok[column].sum() == served[column].sum()
    truth = Decimal(0)
    for row in served.to_dict("records"):
        read, written = PRICES[row["model"]]
        truth += Decimal(row["input_tokens"]) * read + Decimal(row["output_tokens"]) * written
    told = sum((Decimal(repr(usd)) for usd in ok.usd), Decimal(0))
    assert round(told, 12) == truth / 10**9


@pytest.mark.parametrize("processes", [1, 2])
def test_every_request_is_counted_once(desk: Desk, endpoint: Endpoint, processes: int):
    ended = desk.run(small_config(), "--processes", str(processes))
    assert ended.status == 0, ended.stderr
    records = assert_three_equal_counts(ended, endpoint.settled(1))
    assert set(records.groupby(["model", "concurrency"]).groups) == {(m, c) for m in ("nova", "llama") for c in (2, 5)}
    accounting = ended.manifest["accounting"]
    assert accounting["planned"] == accounting["sent"] == accounting["ok"] == len(records)
    assert accounting["lost"] == accounting["abandoned"] == accounting["dropped"] == 0
    assert sum(worker["sent"] for worker in ended.manifest["workers"]) == len(records)
    assert records.worker.nunique() == processes
    assert ended.json("summary.json")["accounting"]["locust_differs"] == []


def test_failures_are_counted_under_their_own_words(desk: Desk, endpoint_of: Any):
    endpoint = endpoint_of(
        {
            "seed": 3,
            "profile": {
                "ttft_s": 0.01,
                "tpot_s": 0.001,
                "faults": [
                    {"kind": "throttle_requests", "rate": 0.1},
                    {"kind": "internal", "rate": 0.05},
                    {"kind": "early_end", "rate": 0.05},
                ],
            },
        }
    )
    ended = desk.run(small_config())
    assert ended.status == 0, ended.stderr
    records, ledger = ended.records(), endpoint.settled(1)
    assert len(records) == len(ledger)
    words = {"throttle_requests": "throttled_requests", "internal": "internal", "early_end": "truncated", None: None}
    truth = Counter(words[row["fault"]] for row in ledger)
    assert len(truth) == 4, "the endpoint did nothing wrong: this test shows nothing"
    assert Counter(None if pd.isna(kind) else kind for kind in records.failure) == truth
    assert_same_tokens_and_money(records, ledger)


def test_the_report_is_the_same_bytes_again(desk: Desk, endpoint: Endpoint):
    ended = desk.run(small_config())
    assert ended.status == 0, ended.stderr
    before = files_of(ended.run)
    assert {"report.md", "report.html", "summary.json", "summary.csv", "manifest.json", "config.yml"} <= before.keys()
    for name in before:
        if name.startswith(("report", "summary", "plots")):
            (ended.run / name).unlink()
    again = desk.call("report", str(ended.run))
    assert again.status == 0, again.stderr
    assert again.address == str(ended.run)
    after = files_of(ended.run)
    assert after.keys() == before.keys()
    assert [name for name in before if before[name] != after[name]] == []


@pytest.mark.skipif(not LONGBENCH.exists(), reason="the LongBench rows are not here")
def test_real_rows_in_every_bucket_are_counted_once(desk: Desk, endpoint: Endpoint):
    config = small_config(
        models=[{"id": "us.amazon.nova-lite-v1:0"}],
        dataset={
            "source": "longbench",
            "path": str(LONGBENCH),
            "languages": ["en", "zh"],
            "buckets": ["500-1000", "1000-2000", "2000-4000", "4000-8000", "8000-16000"],
            "prompts_per_bucket": 4,
        },
        load={"concurrency": [3], "warmup_s": 0, "duration_s": 0.5, "min_requests": 0},
    )
    ended = desk.run(config)
    assert ended.status == 0, ended.stderr
    records = assert_three_equal_counts(ended, endpoint.settled(1))
    held = {name for name, bucket in ended.manifest["buckets"].items() if bucket["count"]}
    assert set(records.bucket) == held
    assert len(held) >= 8
    assert {"en", "zh"} == {name.partition("_")[0] for name in held}
