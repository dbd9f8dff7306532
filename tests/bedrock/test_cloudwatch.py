"""CloudWatch's figures: by botocore's Stubber in the documented shape, and by moto's server, which has GetMetricData."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from fmbench.bedrock.cloudwatch import METRICS, MOST_PAGES, NotTold, minutes_around, told_of
from fmbench.config.schema import Config
from fmbench.run.cloudwatch import ask_cloudwatch
from tests.support.emulators import moto

NOVA = "us.amazon.nova-lite-v1:0"
KEYS = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
START, END = 1_790_000_040.0, 1_790_000_160.0


def _result(name: str, *values: float) -> dict[str, Any]:
    return {"Id": f"m{list(METRICS).index(name)}", "Label": name, "Values": [*values], "StatusCode": "Complete"}


def test_values_are_summed_over_minutes_and_pages() -> None:
    client = boto3.client("cloudwatch", **KEYS)
    span = {"StartTime": datetime.fromtimestamp(START, UTC), "EndTime": datetime.fromtimestamp(END, UTC)}
    asked = {"MetricDataQueries": ANY, "ScanBy": "TimestampAscending", **span}
    with Stubber(client) as stub:
        first = {"MetricDataResults": [_result("invocations", 3, 4), _result("throttles")], "NextToken": "more"}
        stub.add_response("get_metric_data", first, asked)
        second = {"MetricDataResults": [_result("invocations", 5), _result("ttft_ms_sum", 1200)]}
        stub.add_response("get_metric_data", second, {**asked, "NextToken": "more"})
        told = told_of([NOVA], "us-east-1", START, END, lambda region: client)
        stub.assert_no_pending_responses()
    assert told[NOVA]["invocations"] == 12
    assert told[NOVA]["ttft_ms_sum"] == 1200
    assert told[NOVA]["throttles"] is None, "no datapoint is not 0"


def test_what_may_not_be_asked_is_said() -> None:
    client = boto3.client("cloudwatch", **KEYS)
    with Stubber(client) as stub:
        stub.add_client_error("get_metric_data", "AccessDenied", "not authorized to perform: cloudwatch:GetMetricData")
        with pytest.raises(NotTold, match="cloudwatch:GetMetricData"):
            told_of([NOVA], "us-east-1", START, END, lambda region: client)


class _Odd:
    """Answers what no CloudWatch does."""

    def __init__(self, answer: Any, wait_s: float = 0.0) -> None:
        self.answer, self.wait_s, self.asked = answer, wait_s, 0

    def get_metric_data(self, **_: Any) -> Any:
        self.asked += 1
        time.sleep(self.wait_s)
        return self.answer


@pytest.mark.parametrize(
    "results",
    [[{"Id": "m999", "Values": [1.0]}], [{"Id": "x", "Values": [1]}], [{"Values": [1]}], [{"Id": "m0", "Values": ["x"]}], 7],
)
def test_what_is_no_cloudwatch_is_said_and_costs_no_run_its_end(results: Any) -> None:
    with pytest.raises(NotTold, match="what answers there is no CloudWatch"):
        told_of([NOVA], "us-east-1", START, END, lambda region: _Odd({"MetricDataResults": results}))


def test_pages_without_end_and_answers_that_do_not_come_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = _Odd({"MetricDataResults": [], "NextToken": "again"})
    told_of([NOVA], "us-east-1", START, END, lambda region: endless)
    assert endless.asked == MOST_PAGES
    monkeypatch.setattr("fmbench.bedrock.cloudwatch.WITHIN_S", 0.2)
    with pytest.raises(NotTold, match=r"within 0\.2 s"):
        told_of([NOVA], "us-east-1", START, END, lambda region: _Odd({}, wait_s=2))


def test_a_run_is_within_its_whole_minutes() -> None:
    assert minutes_around(START + 1, END - 1) == (START, END)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto(Path(tmp_path_factory.mktemp("moto"))) as url:
        yield url


@pytest.mark.aws_emulator
def test_moto_tells_what_was_put_there(server: str) -> None:
    client = boto3.client("cloudwatch", endpoint_url=server, **KEYS)
    dimensions = [{"Name": "ModelId", "Value": NOVA}]
    for at, count in ((START + 5, 7), (START + 65, 8), (END + 65, 100)):
        moment = datetime.fromtimestamp(at, UTC)
        datum = {"MetricName": "Invocations", "Dimensions": dimensions, "Timestamp": moment, "Value": count}
        client.put_metric_data(Namespace="AWS/Bedrock", MetricData=[datum])
    told = told_of([NOVA, "another"], "us-east-1", START, END, lambda region: client)
    assert told[NOVA]["invocations"] == 15, "of the run's minutes alone"
    assert told["another"]["invocations"] is None


CONFIG = Config.model_validate({"region": "us-east-1", "cloudwatch": True, "models": [{"id": NOVA}]})
LINES = [{"started_at": START + 1, "ended_at": END - 1, "workers": {"w": {"ok": 6}}}]


def test_datapoints_that_come_late_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """3, then 6 of the run's 6 answers are there when it looks."""
    asked: list[tuple[float, float]] = []

    def told(ids: list[str], region: str, start: float, end: float) -> dict[str, Any]:
        asked.append((start, end))
        return {model_id: {"invocations": 3 * len(asked)} for model_id in ids}

    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", "http://127.0.0.1:9")
    monkeypatch.setattr("fmbench.bedrock.cloudwatch.told_of", told)
    waits: list[float] = []
    kept = ask_cloudwatch(CONFIG, LINES, waits.append)
    assert kept is not None
    assert kept["models"] == {NOVA: {"invocations": 6}}
    assert asked == [(START, END)] * 2
    assert len(waits) == 1


def test_nobody_watches_the_simulator() -> None:
    simulated = Config.model_validate({"cloudwatch": True, "models": [{"id": NOVA}], "simulator": {}})
    kept = ask_cloudwatch(simulated, LINES)
    assert kept is not None
    assert "which CloudWatch does not watch" in kept["error"]
