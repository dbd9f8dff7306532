"""A whole ``fmbench-load --config …`` as a client: Locust, journal, health and records, everything that a user's run does.

Its CPU is that of the load process, from its own health log, over the seconds in which requests were under way; preparing
prompts and writing the report are not load.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.accuracy.work import MODEL, REGION, Done, Row, Work, environment

Meanwhile = Callable[[subprocess.Popen[str]], None]
ROOT = Path(__file__).resolve().parents[2]
REQUEST_S = 1.2
"""What a request of the work takes: 200 ms to the first of 100 events, 10 ms between them."""


def whole_run(work: Work) -> Done:
    """Run the work's streams as the users of one cell, for as long as its requests would take."""
    with tempfile.TemporaryDirectory() as folder:
        run = _run(work, Path(folder), 1, None)
        records = pd.read_parquet(run / "records")
        return Done(_cpu_ns(run, records), [_row(record) for record in records.itertuples()])


def records_of_run(work: Work, processes: int, meanwhile: Meanwhile) -> pd.DataFrame:
    """The records of the same, by so many load processes; ``meanwhile`` is called with the run's process when it has started."""
    with tempfile.TemporaryDirectory() as folder:
        return pd.read_parquet(_run(work, Path(folder), processes, meanwhile) / "records")


def _config(work: Work, folder: str) -> dict[str, Any]:
    load = {"warmup_s": work.spread_s, "spread_s": work.spread_s, "duration_s": work.requests * REQUEST_S, "min_requests": 0}
    return {
        "name": "whole-run",
        "region": REGION,
        "output": folder,
        "models": [{"id": MODEL}],
        "inference": {"max_tokens": work.tokens},
        "dataset": {"source": "synthetic", "buckets": ["200-300"], "prompts_per_bucket": 40},
        "load": {"concurrency": [work.streams], **load},
    }


def _run(work: Work, folder: Path, processes: int, meanwhile: Meanwhile | None) -> Path:
    """The run's folder."""
    config = folder / "cfg.yml"
    config.write_text(json.dumps(_config(work, str(folder))))
    bundle = {"AWS_CA_BUNDLE": work.ca_bundle} if work.ca_bundle else {}
    variables = environment(AWS_ENDPOINT_URL_BEDROCK_RUNTIME=work.url, **bundle)
    command = [sys.executable, "-m", "fmbench", "--config", str(config), "--processes", str(processes), "--yes"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env=variables, text=True, **pipes) as process:
        if meanwhile is not None:
            meanwhile(process)
        out, said = process.communicate()
    if process.returncode:
        raise RuntimeError(f"fmbench-load ended with {process.returncode}:\n{said[-2000:]}")
    return Path(out.splitlines()[-1])


def _cpu_ns(run: Path, records: pd.DataFrame) -> int:
    (log,) = (run / "health").glob("*.jsonl")
    health = pd.read_json(log, lines=True, convert_dates=False)
    seconds = health["at"].diff().fillna(1.0)
    began, ended = records["sent_at"].min(), records["ended_at"].max()
    under_way = (health["at"] > began) & (health["at"] - seconds < ended)
    return int((health["cpu"] * seconds)[under_way].sum() * 1e9)


def _row(record: Any) -> Row:
    """A record's durations, counted from 0."""
    content_s = record.content_s
    first_ns = int(record.ttft_s * 1e9)
    span_ns = int((content_s[-1] - content_s[0]) * 1e9)
    return Row(record.request_id, 0, first_ns, first_ns + span_ns, len(content_s), not pd.isna(record.connect_s))
