"""Test data, not measurements: a seeded generator of plausible runs, for tests and benchmarks of the report.

Latencies are log-normal around a line in prompt tokens and users; users send one request after another without a pause;
a stated share of the requests fails; windows are set the way a run sets them (warm-up, measured window, drain).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fmbench.core.records import COLUMNS
from fmbench.core.summary import summarise
from fmbench.core.table import COLUMNS as SUMMARY_COLUMNS
from fmbench.report import write_report
from fmbench.storage.reader import LocalRun, open_run
from fmbench.storage.table import SCHEMA

ROWS_PER_PART = 50_000

START = 1_790_000_000.0
"""When every made-up run began (UTC epoch)."""


@dataclass(frozen=True)
class Made:
    """A made-up model: its name and how it behaves."""

    label: str
    model_id: str
    ttft_s: float = 0.3
    ttft_per_1k: float = 0.12
    slowdown: float = 0.03
    """How much longer everything takes with each further user, as a share."""
    tpot_s: float = 0.012
    output_tokens: int = 60
    failures: dict[str, float] = field(default_factory=dict)
    """Share of the requests that fails, by kind."""
    price: tuple[float, float] | None = (0.06, 0.24)
    """USD for a million tokens, in and out."""


NOVA = Made("nova-lite", "us.amazon.nova-lite-v1:0", failures={"throttled_requests": 0.01})
HAIKU = Made(
    "claude-haiku-4-5",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    ttft_s=0.45,
    slowdown=0.015,
    tpot_s=0.008,
    output_tokens=110,
    price=(1.0, 5.0),
)
LLAMA = Made(
    "llama-3.3-70b",
    "us.meta.llama3-3-70b-instruct-v1:0",
    ttft_s=0.6,
    slowdown=0.08,
    tpot_s=0.02,
    output_tokens=80,
    failures={"service_unavailable": 0.015, "timeout_first_byte": 0.005},
    price=(0.72, 0.72),
)


@dataclass(frozen=True)
class Study:
    """What to make: models x buckets x levels, and how many requests a cell."""

    models: tuple[Made, ...] = (NOVA, HAIKU, LLAMA)
    buckets: tuple[str, ...] = ("en_500-1000", "en_2000-3000")
    levels: tuple[int, ...] = (1, 4, 16)
    requests: int = 240
    seed: int = 7
    objectives: dict[str, Any] = field(
        default_factory=lambda: {
            "bucket": "en_2000-3000",
            "ttft_p95_s": 1.5,
            "e2e_p95_s": 5.0,
            "error_rate": 0.05,
            "prefer": "cost",
        }
    )


@dataclass
class MadeRun:
    """A made-up run before it is stored."""

    frame: pd.DataFrame
    manifest: dict[str, Any]
    cells: list[dict[str, Any]]
    beats: pd.DataFrame


def store(made: MadeRun, path: Path) -> LocalRun:
    """Write the made-up run as a run folder at ``path``, and open it."""
    for folder in ("records", "health"):
        (path / folder).mkdir(parents=True)
    for number, start in enumerate(range(0, max(len(made.frame), 1), ROWS_PER_PART)):
        rows = made.frame.iloc[start : start + ROWS_PER_PART].reindex(columns=SCHEMA.names)
        part = pa.Table.from_pandas(rows, schema=SCHEMA, preserve_index=False)
        pq.write_table(part, path / "records" / f"part-w0-{number:05d}.parquet")
    write_lines(path / "health" / "w0.jsonl", made.beats.to_dict("records"))
    write_lines(path / "cells.jsonl", made.cells)
    (path / "manifest.json").write_text(json.dumps(made.manifest, indent=2))
    (path / "config.yml").write_text("name: made-up\nmodels: []\n")
    return open_run(str(path))


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def reported(made: MadeRun, path: Path) -> LocalRun:
    """Store ``made`` at ``path`` and write its report there, as ``fmbench-load report`` does."""
    run = store(made, path)
    write_report(run, summarise(run.records(list(SUMMARY_COLUMNS)), run.manifest, run.health()))
    return run


def make(study: Study = Study()) -> MadeRun:
    """The whole made-up run of ``study``: the same for the same seed."""
    rng = np.random.default_rng(study.seed)
    frames, lines, clock, index = [], [], START, 0
    for model in study.models:
        for bucket in study.buckets:
            for level in study.levels:
                frame, line = _cell(rng, study, model, bucket, level, index, clock)
                frames.append(frame)
                lines.append(line)
                clock = line["ended_at"] + 1.0
                index += 1
    records = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))
    return MadeRun(records, _manifest(study, records, lines, clock), lines, _health(lines))


def _cell(
    rng: np.random.Generator, study: Study, model: Made, bucket: str, level: int, index: int, clock: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    count = study.requests
    low, high = (int(part) for part in bucket.split("_")[1].split("-"))
    prompt = rng.integers(low, high, count)
    factor = (1 + model.slowdown * (level - 1)) * rng.lognormal(0, 0.18, count)
    ttft = (model.ttft_s + model.ttft_per_1k * prompt / 1000) * factor
    output = np.maximum(rng.poisson(model.output_tokens, count), 2)
    tpot = model.tpot_s * (1 + model.slowdown * (level - 1)) * rng.lognormal(0, 0.08, count)
    e2e = ttft + tpot * (output - 1)
    failure = rng.choice([None, *model.failures], count, p=[1 - sum(model.failures.values()), *model.failures.values()])
    failed = failure != None  # noqa: E711 - element by element
    e2e = np.where(failed & (failure != "timeout_first_byte"), 0.05 * rng.lognormal(0, 0.3, count), e2e)
    user = np.arange(count) % level
    sent = np.empty(count)
    for slot in range(level):
        mine = user == slot
        sent[mine] = clock + np.concatenate([[0.0], np.cumsum(e2e[mine] + 0.002)[:-1]])
    ended = sent + e2e
    measure_at = clock + 0.1 * (ended.max() - clock)
    drain_at = clock + 0.9 * (ended.max() - clock)
    phase = np.where(sent < measure_at, "warmup", np.where(sent < drain_at, "measure", "drain"))
    price = model.price
    usd = (prompt * price[0] + output * price[1]) / 1e6 if price else np.full(count, np.nan)
    seen: Callable[[Any], Any] = lambda values: np.where(failed, np.nan, values)  # noqa: E731
    frame = pd.DataFrame(
        {
            "run_id": "made-up-run",
            "worker": "w0",
            "user": user,
            "seq": np.arange(count) + index * count,
            "model": model.label,
            "model_id": model.model_id,
            "api": "converse-stream",
            "dataset": "synthetic",
            "bucket": bucket,
            "concurrency": level,
            "cell": index,
            "block": 0,
            "phase": phase,
            "task": rng.choice(["passage_retrieval", "multi_hop"], count),
            "prompt_id": [f"p{number}" for number in rng.integers(0, 50, count)],
            "attempt": 1,
            "intended_at": sent - 0.0005,
            "sent_at": sent,
            "ended_at": ended,
            "connect_s": np.where(np.arange(count) < level, 0.02, np.nan),
            "client_s": 0.0004,
            "headers_s": seen(ttft * 0.9),
            "ttft_s": seen(ttft),
            "ttft_text_s": seen(ttft),
            "e2e_s": e2e,
            "tpot_s": seen(tpot),
            "content_events": seen(output),
            "content_s": _content(rng, ttft, tpot, output, failed),
            "prompt_tokens": prompt,
            "input_tokens": seen(np.round(prompt * 1.03)),
            "output_tokens": seen(output),
            "cache_read_tokens": seen(0.0),
            "cache_write_tokens": seen(0.0),
            "max_tokens": 128,
            "server_latency_s": seen(e2e * 0.97),
            "stop_reason": np.where(failed, None, np.where(output >= 128, "max_tokens", "end_turn")),
            "service_tier": None,
            "latency_mode": None,
            "outcome": np.where(failed, "failed", "ok"),
            "failure": failure,
            "http_status": np.where(failed, 429.0, 200.0),
            "request_id": [f"r-{index}-{number}" for number in range(count)],
            "message": np.where(failed, "made up for a test", None),
            "usd": seen(usd),
        }
    )
    line = {
        "cell": index,
        "attempt": 1,
        "model": model.label,
        "model_id": model.model_id,
        "bucket": bucket,
        "concurrency": level,
        "block": 0,
        "status": "complete",
        "started_at": clock,
        "measure_at": measure_at,
        "drain_at": drain_at,
        "ended_at": float(ended.max()),
        "reason": None,
        "workers": {"w0": {"sent": count, "ok": int((~failed).sum()), "failed": int(failed.sum())}},
    }
    return frame, line


def _content(rng: np.random.Generator, ttft: Any, tpot: Any, output: Any, failed: Any) -> list[Any]:
    rows: list[Any] = []
    for first, gap, tokens, bad in zip(ttft, tpot, output, failed, strict=True):
        steps = rng.exponential(gap, max(int(min(tokens, 40)) - 1, 1))
        rows.append(None if bad else np.round(first + np.concatenate([[0.0], np.cumsum(steps)]), 6))
    return rows


def _manifest(study: Study, records: pd.DataFrame, lines: list[dict[str, Any]], ended: float) -> dict[str, Any]:
    sent = len(records)
    good = int((records["outcome"] == "ok").sum()) if sent else 0
    accounting = {"planned": sent, "sent": sent, "ok": good, "failed": sent - good, "abandoned": 0, "dropped": 0, "lost": 0}
    worker = {"id": "w0", "host": "host-1", "sent": sent, "ok": good, "failed": sent - good, "abandoned": 0}
    return {
        "schema_version": "1.0",
        "run_id": "made-up-run",
        "status": "complete",
        "started_at": START,
        "ended_at": ended,
        "seed": study.seed,
        "config_sha256": "0" * 64,
        "region": "us-east-1",
        "endpoint": "http://127.0.0.1:0",
        "versions": {"fmbench-load": "0.1.0", "python": "3.11.2", "boto3": "1.44.0", "locust": "2.47.1"},
        "price_book": {"source": "config", "version": "1", "date": "2026-09-01"},
        "datasets": [{"name": "synthetic", "revision": "seed 7", "sha256": "ab" * 32, "rows": 150}],
        "workers": [worker],
        "accounting": accounting,
        "config": _config(study),
        "cells": lines,
        "buckets": {
            name: {"name": name, "file": f"prompts/payload_{name}.jsonl", "count": 50, "sha256": "cd" * 32, "tokens_mean": 0}
            for name in study.buckets
        },
        "tokenizer": {"name": "o200k_base", "version": "0.1"},
        "prompts": {f"payload_{name}.jsonl": "cd" * 32 for name in study.buckets},
        "command": "fmbench-load --config cfg.yml",
        "warnings": [],
        "environment": {"platform": "Linux", "cpus": 2},
    }


def _config(study: Study) -> dict[str, Any]:
    return {
        "name": "made-up",
        "region": "us-east-1",
        "seed": study.seed,
        "models": [{"id": model.model_id, "label": model.label, "api": "converse-stream"} for model in study.models],
        "inference": {"max_tokens": 128},
        "dataset": {"source": "synthetic", "buckets": [name.split("_")[1] for name in study.buckets], "prompts_per_bucket": 50},
        "load": {"concurrency": list(study.levels), "warmup_s": 5, "duration_s": 30, "min_requests": 20},
        "objectives": study.objectives,
        "budget": {},
        "pricing": {},
        "cache": "salt",
        "quality": False,
    }


_HEALTH = (
    "at",
    "worker",
    "lag_p50_s",
    "lag_p99_s",
    "lag_max_s",
    "cpu",
    "in_flight",
    "sent",
    "done",
    "new_connections",
    "start_delay_max_s",
)


def _health(lines: list[dict[str, Any]]) -> pd.DataFrame:
    rows = []
    for line in lines:
        for second in np.arange(line["started_at"], line["ended_at"], 1.0):
            lag = {"lag_p50_s": 0.0002, "lag_p99_s": 0.0008, "lag_max_s": 0.002}
            counts = {"in_flight": line["concurrency"], "sent": 0, "done": 0, "new_connections": 0}
            rows.append({"at": float(second), "worker": "w0", **lag, "cpu": 0.31, **counts, "start_delay_max_s": 0.001})
    return pd.DataFrame(rows, columns=list(_HEALTH))
