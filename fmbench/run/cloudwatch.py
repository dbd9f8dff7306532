"""``cloudwatch: true``: asks CloudWatch after the last request, and keeps what it said in the manifest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fmbench.run.say import say

if TYPE_CHECKING:
    from fmbench.config.schema import Config

LATE_S, LOOK_S = 180.0, 15.0
"""Datapoints come a minute or two after their minute; that long they are waited for, looking so often."""


def ask_cloudwatch(
    config: Config, cells: list[dict[str, Any]], sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any] | None:
    """What the manifest keeps: ``{asked_at, start, end, models: {id: {metric: value}}}`` or ``{asked_at, error}``; None: it was
    not asked for. Nothing that goes wrong here costs a record."""
    times = [float(line[name]) for line in cells for name in ("started_at", "ended_at") if line.get(name) is not None]
    if not config.cloudwatch or not times:
        return None
    if not _there(config):
        from fmbench.run.checks import target_name

        return {"asked_at": time.time(), "error": f"requests went to {target_name(config)}, which CloudWatch does not watch"}
    from fmbench.bedrock.cloudwatch import NotTold, minutes_around, told_of

    start, end = minutes_around(min(times), max(times))
    regions: dict[str, list[str]] = {}
    for model in config.models:
        regions.setdefault(model.region or config.region or "", []).append(model.id)
    expected = sum(tally["ok"] for line in cells for tally in (line.get("workers") or {}).values())
    say("Asking CloudWatch; its figures come a minute or two late.")
    deadline = time.monotonic() + LATE_S
    while True:
        try:
            models = {
                model_id: told
                for region, ids in regions.items()
                for model_id, told in told_of(list(dict.fromkeys(ids)), region, start, end).items()
            }
        except NotTold as error:
            return {"asked_at": time.time(), "error": str(error)}
        whole = sum(told["invocations"] or 0 for told in models.values()) >= expected
        if whole or time.monotonic() >= deadline:
            return {"asked_at": time.time(), "start": start, "end": end, "models": models}
        sleep(LOOK_S)


def _there(config: Config) -> bool:
    """Whether a CloudWatch watches what was called: AWS's own, or one that AWS's variables name."""
    from fmbench.run.checks import target_name

    own = any(os.environ.get(name) for name in ("AWS_ENDPOINT_URL_CLOUDWATCH", "AWS_ENDPOINT_URL"))
    return config.simulator is None and (own or target_name(config) == "aws")
