"""AIPerf's own program on Chat Completions: its services, and workers that share the streams.

Its records give latencies from before its HTTP client is called, and the gaps between content chunks; they are found in the
ledger by the request id that AIPerf sends.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.accuracy import chat_work, program
from benchmarks.accuracy.ledger import Ledger
from benchmarks.accuracy.work import LIMIT_S, MODEL, Client, Done, Row, Work

STREAMS_OF_A_WORKER = 64
"""AIPerf's own choice goes by the CPUs alone: one worker on two of them, which is further off at 256 streams than four are."""


def client(python: Path) -> Client:
    """The client that the environment of ``python`` holds."""

    def run(work: Work) -> Done:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            usage = program.run(_command(python, folder, work), folder, chat_work.environment(work))
            lines = (folder / "out" / "profile_export.jsonl").read_text().splitlines()
        records = [json.loads(line) for line in lines]
        read_at_ns = max(record["metadata"]["request_end_ns"] for record in records)
        return chat_work.done(work, usage, read_at_ns, lambda ledger: _rows(records, ledger))

    return run


def _command(python: Path, folder: Path, work: Work) -> list[str]:
    prompts = chat_work.write_prompts(folder / "prompts.jsonl", "text", work)
    tokenizer = chat_work.write_tokenizer(folder / "tokenizer")
    where = ["--url", chat_work.base_url(work), "--model", MODEL, "--endpoint-type", "chat", "--streaming"]
    what = ["--input-file", prompts, "--custom-dataset-type", "single-turn", "--extra-inputs", f"max_tokens:{work.tokens}"]
    tokens = ["--tokenizer", tokenizer, "--use-server-token-count"]
    load = ["--concurrency", work.streams, "--request-count", chat_work.requests_of(work)]
    load += ["--workers-max", max(1, work.streams // STREAMS_OF_A_WORKER)]
    load += ["--concurrency-ramp-duration", work.spread_s, "--request-timeout-seconds", LIMIT_S]
    quiet = ["--ui", "none", "--no-server-metrics", "--no-gpu-telemetry", "--output-artifact-dir", folder / "out"]
    return [str(word) for word in (python.with_name("aiperf"), "profile", *where, *what, *tokens, *load, *quiet)]


def _rows(records: list[dict[str, Any]], ledger: Ledger) -> list[Row]:
    ids = {row["invocation_id"]: row["request_id"] for row in ledger}
    return [_row(ids[record["metadata"]["x_request_id"]], record) for record in records]


def _row(request_id: str, record: dict[str, Any]) -> Row:
    if record.get("error"):
        raise RuntimeError(f"a request failed: {record['error']}")
    metrics = {name: metric["value"] for name, metric in record["metrics"].items()}
    first_ms, gaps_ms = metrics["time_to_first_token"], metrics["inter_chunk_latency"]
    times = (round(first_ms * 1e6), round((first_ms + sum(gaps_ms)) * 1e6))
    return Row(request_id, 0, *times, 1 + len(gaps_ms), not metrics["http_req_connection_reused"])
