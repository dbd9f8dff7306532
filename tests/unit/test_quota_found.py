"""A search's finding from the records alone: a log that the simulator's own admission wrote says how that admission works."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from benchmarks.quota.service import Service
from fmbench.core.quota.burst import Seen
from fmbench.core.quota.found import bursts_told, is_finished, quota_searches
from fmbench.core.quota.search import Limits, search
from fmbench.core.table import read
from fmbench.report.summary import closing_line
from fmbench.run.closing import closing_table, settling_lines
from fmbench.simulator.behaviour import Quota
from tests.unit.made import Cellful, failed, row, run_of, summarise

SCALE = 1 / 6
LOAD = {"search": {"of": "quota", "minute_s": 60 * SCALE}}


def _row(seen: Seen) -> dict[str, Any]:
    """A record: the service counts 7 tokens more than we do, and tells nothing of a throttled request."""
    times = {"sent_at": seen.at * SCALE, "ended_at": seen.ended_at * SCALE, "max_tokens": seen.max_tokens}
    ours = times | {"prompt_tokens": seen.input_tokens - 7}
    if seen.word is not None:
        return failed(0.0, f"throttled_{seen.word}", **ours)
    return row(0.0, input_tokens=seen.input_tokens, output_tokens=seen.output_tokens, **ours)


def test_the_log_in_the_records_says_how_the_quota_works() -> None:
    hidden = Quota(requests_per_minute=90, tokens_per_minute=120_000, burndown=5, window="clock")
    service, log = Service(hidden, 3), []
    bursts = search(Limits())
    burst = next(bursts)
    found = None
    while found is None:
        part = service.burst(burst)
        log += part
        try:
            burst = bursts.send(part)
        except StopIteration as ended:
            found = ended.value
    records, manifest = run_of([Cellful([_row(seen) for seen in log])])
    (told,) = quota_searches(LOAD, read(records).rows, manifest["cells"])
    quota = told["quota"]
    assert quota["requests_per_min"]["per_minute"] == pytest.approx(90, rel=0.05)
    assert quota["tokens_per_min"]["per_minute"] == pytest.approx(120_000, rel=0.05)
    assert (quota["reserves_max_tokens"], quota["burndown"], quota["window"]) == (True, 5.0, "clock")
    assert quota["throttled_by"] == ["requests", "tokens"]
    assert told["limit"] == pytest.approx(found.tokens.per_minute, rel=0.01)


def test_nothing_throttled_is_no_limit() -> None:
    records, manifest = run_of([Cellful([row(0.1 * number, max_tokens=10) for number in range(20)])])
    (told,) = quota_searches(LOAD, read(records).rows, manifest["cells"])
    assert (told["limit"], told["quota"]["requests_per_min"], told["quota"]["throttled_by"]) == (None, None, [])


def test_a_log_that_nothing_explains_has_an_open_interval() -> None:
    """10 tokens are refused and 1,000 let through: no size is ruled out for certain."""
    hidden = [Seen(at=1.0, ended_at=1.0, input_tokens=17, max_tokens=1, output_tokens=0, word="tokens")]
    hidden += [Seen(at=2.0, ended_at=2.5, input_tokens=1000, max_tokens=1, output_tokens=1)]
    records, manifest = run_of([Cellful([_row(seen) for seen in hidden])])
    (told,) = quota_searches(LOAD, read(records).rows, manifest["cells"])
    assert told["ci95"][1] is None
    assert json.dumps(told, allow_nan=False)


def test_other_searches_are_none_of_quotas() -> None:
    records, manifest = run_of([Cellful([row(0.1)])])
    assert quota_searches({"search": {"of": "users"}}, read(records).rows, manifest["cells"]) == []


def test_a_run_that_looks_for_a_quota_judges_no_model() -> None:
    """Half of its requests are throttled, as it wants them: that is no error rate of the model, and no distance from a limit."""
    rows = [row(0.1 * number, max_tokens=10) for number in range(40)]
    rows += [failed(0.1 * number + 0.05, "throttled_requests", max_tokens=10) for number in range(40)]
    records, manifest = run_of([Cellful(rows)])
    manifest["config"] |= {"load": LOAD, "objectives": {"error_rate_max": 0.01}}
    told = summarise(records, manifest, pd.DataFrame())
    assert (told["verdicts"], told["recommendation"], told["objectives"]) == ([], None, {})
    assert told["recommendation_reason"] == "A quota was searched for; no model is judged."
    (cell,) = told["cells"]
    assert (cell["meets_objectives"], cell["objectives"], cell["failed"]) == (None, [], 40)
    assert told["bucket_of_interest"] == told["traffic"]["bucket"] == "en_1-500"
    assert closing_table(told) is None and settling_lines(told) == []
    assert closing_line(told).startswith("a: throttled from ")


def test_the_lines_say_which_bursts_are_known_and_whether_one_was_the_last() -> None:
    def line(cell: int, number: int, status: str = "complete", last: bool = False) -> dict[str, Any]:
        return {"cell": cell, "status": status, "burst": {"number": number, "last": last}}

    first = [line(0, 0), line(1, 1), line(2, 2, "stopped")]
    assert bursts_told(first) == [0, 1] and not is_finished(first)
    again = [*first, line(3, 1), line(4, 2), line(5, 3, last=True)]
    assert bursts_told(again) == [0, 3, 4, 5] and is_finished(again)
    cut_without_a_line = [{"cell": 0, "status": "stopped"}]
    assert bursts_told(cut_without_a_line) == [] and not is_finished(cut_without_a_line)
    assert is_finished([{"cell": 0, "status": "complete"}, {"cell": 1, "status": "complete"}]), "of an earlier version"
    assert not is_finished([])
