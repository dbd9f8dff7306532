"""``load.stay_under_quota``: a load that would be throttled waits its turn, in one load process or in two."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.commands import Desk, small_config

pytestmark = pytest.mark.slow

RPM = 600


@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["one", "two"])
def test_nothing_is_throttled_and_the_waits_are_recorded(desk: Desk, endpoint_of: Any, processes: tuple[str, ...]) -> None:
    endpoint_of({"profile": {"ttft_s": 0.02, "tpot_s": 0.001, "quota": {"requests_per_minute": RPM, "window": "rolling"}}})
    load = {"concurrency": [6], "warmup_s": 0, "duration_s": 4, "min_requests": 0, "stay_under_quota": 0.9}
    models = [{"id": "us.amazon.nova-lite-v1:0", "label": "nova"}]
    ended = desk.run(small_config(models=models, load=load, quota={"nova": {"rpm": RPM}}), *processes)
    assert ended.status == 0, ended.stderr
    records = ended.records()
    assert set(records.outcome) == {"ok"}
    sent = records.sort_values("sent_at").sent_at
    assert len(records) <= 0.05 * RPM + 0.9 * RPM / 60 * (sent.max() - sent.min()) + 3
    assert (records.paced_s > 0.05).sum() > len(records) / 3
    assert records.ttft_s.max() < records.paced_s.max() + 0.5, "the wait is in no latency"
    report = (ended.run / "report.md").read_text()
    assert "before going out, to stay under it" in report
    assert "of its requests a minute" in report and "—" not in report.partition("## Quota")[2].partition("waited")[0]


def test_an_unknown_quota_is_refused_before_anything_is_sent(desk: Desk, endpoint: Any) -> None:
    ended = desk.run(small_config(load={"concurrency": [2], "duration_s": 1, "stay_under_quota": 0.9}))
    assert ended.status == 3
    assert "the quota of nova, llama is not known" in ended.stderr
    assert endpoint.counts()["requests"] == 0
