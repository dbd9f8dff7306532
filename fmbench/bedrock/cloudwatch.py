"""What CloudWatch says of a run's minutes: Bedrock's own counts, throttles, quota use and time to first token, by model id."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fmbench.bedrock.client import session
from fmbench.core.neutral import discreet, neutral
from fmbench.patience import within

NAMESPACE = "AWS/Bedrock"
PERIOD_S = 60
METRICS: dict[str, tuple[str, str]] = {
    "invocations": ("Invocations", "Sum"),
    "throttles": ("InvocationThrottles", "Sum"),
    "input_tokens": ("InputTokenCount", "Sum"),
    "output_tokens": ("OutputTokenCount", "Sum"),
    "quota_tokens": ("EstimatedTPMQuotaUsage", "Sum"),
    "ttft_ms_sum": ("TimeToFirstToken", "Sum"),
    "ttft_samples": ("TimeToFirstToken", "SampleCount"),
}
"""What is asked for, by our name: metric and statistic."""
MOST_QUERIES = 490
"""In one request; CloudWatch takes 500."""
MOST_PAGES = 200
WITHIN_S = 60.0
"""How long CloudWatch is waited for, however many pages it gives or bytes it drips."""
_CONFIG = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"})

Make = Callable[[str], Any]
Told = dict[str, dict[str, float | None]]


class NotTold(Exception):
    """CloudWatch could not be asked, in its own words."""


def client_of(region: str) -> Any:
    """boto3's client."""
    create: Any = session().client
    return create("cloudwatch", region_name=region, config=_CONFIG)


def minutes_around(start: float, end: float) -> tuple[float, float]:
    """The whole minutes that hold a stretch of time, UTC epoch seconds."""
    return math.floor(start / PERIOD_S) * PERIOD_S, math.ceil(end / PERIOD_S) * PERIOD_S


def told_of(model_ids: Sequence[str], region: str, start: float, end: float, make: Make = client_of) -> Told:
    """Each metric of each model id, summed over the minutes from ``start`` to ``end``; None: there is no datapoint.

    Raises ``NotTold``.
    """
    what = f"CloudWatch gave no whole answer within {WITHIN_S:g} s"
    try:
        return within(WITHIN_S, lambda: _told(model_ids, make(region), start, end), what)
    except (ClientError, BotoCoreError, TimeoutError) as error:
        raise NotTold(neutral(discreet(str(error)), 500)) from error
    except (LookupError, ValueError, TypeError, OverflowError, RecursionError) as error:  # boto3 checks no field of an answer
        raise NotTold(f"what answers there is no CloudWatch ({type(error).__name__})") from error


def _told(model_ids: Sequence[str], client: Any, start: float, end: float) -> Told:
    asked = [(model_id, name) for model_id in model_ids for name in METRICS]
    found: Told = {model_id: dict.fromkeys(METRICS) for model_id in model_ids}
    for first in range(0, len(asked), MOST_QUERIES):
        part = asked[first : first + MOST_QUERIES]
        for number, values in _pages(client, part, start, end):
            model_id, name = part[number]
            found[model_id][name] = math.fsum([found[model_id][name] or 0.0, *values])
    return found


def _pages(client: Any, asked: Sequence[tuple[str, str]], start: float, end: float) -> Iterator[tuple[int, list[float]]]:
    """The values of each query that has some, by its number."""
    queries = [_query(number, model_id, *METRICS[name]) for number, (model_id, name) in enumerate(asked)]
    span = {"StartTime": datetime.fromtimestamp(start, UTC), "EndTime": datetime.fromtimestamp(end, UTC)}
    token: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        answer = client.get_metric_data(MetricDataQueries=queries, ScanBy="TimestampAscending", **span, **token)
        for result in answer.get("MetricDataResults", []):
            values = [float(value) for value in result.get("Values", []) if math.isfinite(value)]
            if values:
                yield int(str(result["Id"]).removeprefix("m")), values
        if not answer.get("NextToken"):
            return
        token = {"NextToken": str(answer["NextToken"])}


def _query(number: int, model_id: str, metric: str, statistic: str) -> dict[str, Any]:
    dimensions = [{"Name": "ModelId", "Value": model_id}]
    of = {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": dimensions}
    return {"Id": f"m{number}", "MetricStat": {"Metric": of, "Period": PERIOD_S, "Stat": statistic}, "ReturnData": True}
