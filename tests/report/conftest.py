"""Made-up runs with their reports, each written once for all tests of the folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from fmbench.storage.reader import LocalRun
from tests.report.support import HAIKU, LLAMA, NOVA, Made, MadeRun, Study, make, reported

BUCKET = "en_2000-3000"
AGAIN_S = 900.0
"""How long before the good attempt the spoilt one was."""
MANY = tuple(
    Made(
        f"model-{i}",
        f"vendor.model-{i}-v1:0",
        ttft_s=0.2 + 0.07 * i,
        output_tokens=40 + 9 * i,
        price=(0.05 * (i + 1), 0.3 * (i + 1)),
    )
    for i in range(11)
)
LONG = (
    replace(NOVA, label="arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6"),
    replace(HAIKU, label="us.anthropic.claude-haiku-4-5-20251001-v1:0"),
    replace(LLAMA, label="odd|name *with* <b>marks</b> & `ticks` [x](y) of eighty letters in all ______________"),
)
IMPOSSIBLE = {"bucket": BUCKET, "ttft_p95_s": 0.3, "e2e_p95_s": 1.0, "error_rate": 0.001, "usd_per_10k": 10.0, "prefer": "cost"}
CLOSE = {"bucket": BUCKET, "ttft_p95_s": 1.2, "e2e_p99_s": 2.5, "error_rate": 0.02, "prefer": "latency"}


def nothing_sent() -> MadeRun:
    """A run that was stopped before its first request."""
    made = make(Study(models=(NOVA, HAIKU), requests=40))
    none = dict.fromkeys(("planned", "sent", "ok", "failed", "abandoned", "dropped", "lost"), 0)
    return MadeRun(made.frame.iloc[:0], {**made.manifest, "accounting": none, "cells": []}, [], made.beats.iloc[:0])


def nothing_answered() -> MadeRun:
    """A run in which every request failed."""
    denied = replace(NOVA, failures={"access_denied": 1.0})
    throttled = replace(HAIKU, failures={"throttled_requests": 0.6, "internal": 0.4})
    return make(Study(models=(denied, throttled), requests=60))


ONE = Study(models=(NOVA,), buckets=(BUCKET,), levels=(4,), requests=240)


def tried_again() -> MadeRun:
    """One cell, tried twice: the first attempt lost its worker, and was ten times as slow."""
    good, slow = make(ONE), make(ONE).frame
    times = ["intended_at", "sent_at", "ended_at"]
    slow[times] -= AGAIN_S
    slow[["ttft_s", "e2e_s", "tpot_s"]] *= 10
    slow["content_s"] = [None if stamps is None else stamps * 10 for stamps in slow["content_s"]]
    slow["seq"] += 1_000_000
    [line] = good.cells
    moved = {name: line[name] - AGAIN_S for name in ("started_at", "measure_at", "drain_at", "ended_at")}
    lines = [{**line, **moved, "status": "invalid", "reason": "worker w1 was lost"}, {**line, "attempt": 2}]
    sent = 2 * len(good.frame)
    manifest = {**good.manifest, "cells": lines, "accounting": {**good.manifest["accounting"], "planned": sent, "sent": sent}}
    return MadeRun(pd.concat([slow, good.frame], ignore_index=True), manifest, lines, good.beats)


def warming_up() -> MadeRun:
    """One cell whose first 40 % of requests took twice as long, far into its measured window."""
    made = make(ONE)
    early = made.frame["sent_at"].rank(pct=True) <= 0.4
    made.frame.loc[early, ["ttft_s", "e2e_s"]] *= 2
    made.frame["ended_at"] = made.frame["sent_at"] + made.frame["e2e_s"]
    return made


def half_throttled() -> MadeRun:
    """Half of the requests to either model meet the quota."""
    throttled = {"throttled_requests": 0.5}
    return make(Study(models=(replace(NOVA, failures=throttled), replace(HAIKU, failures=throttled)), requests=120))


def ended_early() -> MadeRun:
    """The endpoint went away before the bucket of interest had its turn."""
    made = make(Study(models=(NOVA,), buckets=("en_500-1000",), requests=120))
    return MadeRun(
        made.frame, {**made.manifest, "ended": "target_down", "message": "the endpoint is gone"}, made.cells, made.beats
    )


CASES: dict[str, Callable[[], MadeRun]] = {
    "normal": lambda: make(Study(requests=300)),
    "nothing_sent": nothing_sent,
    "nothing_answered": nothing_answered,
    "one": lambda: make(Study(models=(NOVA,), buckets=(BUCKET,), levels=(4,), requests=120)),
    "many": lambda: make(Study(models=MANY, levels=(1, 8), requests=90, buckets=(BUCKET, "zh_4000-8000"))),
    "long_names": lambda: make(Study(models=LONG, requests=90)),
    "none_feasible": lambda: make(Study(requests=200, objectives=IMPOSSIBLE)),
    "undecided": lambda: make(Study(requests=60, objectives=CLOSE)),
    "no_price": lambda: make(Study(models=(replace(NOVA, price=None), HAIKU), requests=180)),
    "tried_again": tried_again,
    "warming_up": warming_up,
    "half_throttled": half_throttled,
    "ended_early": ended_early,
    "tiny": lambda: make(Study(requests=6, levels=(1, 2))),
}


@pytest.fixture(scope="session")
def report_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LocalRun]:
    """The reported run of a case by its name."""
    root: Path = tmp_path_factory.mktemp("reports")

    @cache
    def of(name: str) -> LocalRun:
        return reported(CASES[name](), root / name)

    return of


@pytest.fixture(params=list(CASES))
def run(request: pytest.FixtureRequest, report_of: Callable[[str], LocalRun]) -> LocalRun:
    """Every case in turn."""
    return report_of(request.param)
