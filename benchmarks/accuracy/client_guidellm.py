"""GuideLLM's own program on Chat Completions: ten processes that share the streams, a new connection for each request.

Its stamps are wall time, from when the head of a request goes to the socket, after connecting. Requests are found in the ledger
by the id of the answer. None uses a connection again: those that count as the first of a stream are the first to come.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.accuracy import chat_work, program
from benchmarks.accuracy.ledger import Ledger
from benchmarks.accuracy.work import MODEL, Client, Done, Row, Work


def client(python: Path) -> Client:
    """The client that the environment of ``python`` holds."""

    def run(work: Work) -> Done:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            usage = program.run(_command(python, folder, work), folder, _environment(folder, work))
            report = json.loads((folder / "benchmarks.json").read_text())
        requests = _answered(report["benchmarks"][0]["requests"])
        read_at_s = max(request["info"]["timings"]["request_end"] for request in requests)
        return chat_work.done(work, usage, round(read_at_s * 1e9), lambda ledger: _rows(requests, ledger, work.streams))

    return run


def _environment(folder: Path, work: Work) -> dict[str, str]:
    return chat_work.environment(work) | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hub")}


def _command(python: Path, folder: Path, work: Work) -> list[str]:
    prompts = chat_work.write_prompts(folder / "prompts.jsonl", "prompt", work)
    tokenizer = chat_work.write_tokenizer(folder / "tokenizer")
    verify = json.dumps(work.ca_bundle is not None)
    where = f"kind=openai_http,target={chat_work.base_url(work)},model={MODEL},verify={verify},validate_backend=false"
    options = {
        "--backend": f"{where},max_tokens={work.tokens},timeout_connect=60",
        "--profile": f"kind=concurrent,streams={work.streams},rampup_duration={work.spread_s}",
        "--constraint": f"kind=max_requests,count={chat_work.requests_of(work)}",
        "--tokenizer": f"kind=huggingface_auto,model={tokenizer}",
        "--data": f"kind=json_file,path={prompts}",
        "--output": f"kind=json,path={folder / 'benchmarks.json'}",
    }
    words = [word for option in options.items() for word in option]
    return [str(python.with_name("guidellm")), "run", *words, "--disable-console"]


def _answered(requests: dict[str, Any]) -> list[dict[str, Any]]:
    lost = (requests["errored"] or []) + (requests["incomplete"] or [])
    if lost:
        raise RuntimeError(f"{len(lost)} requests failed, the first with {lost[0]['info']['error']}")
    return list(requests["successful"])


def _rows(requests: list[dict[str, Any]], ledger: Ledger, streams: int) -> list[Row]:
    first = {row["request_id"] for row in ledger[:streams]}
    return [_row(request, first) for request in requests]


def _row(request: dict[str, Any], first: set[str]) -> Row:
    times = request["info"]["timings"]
    names = ("request_start", "first_token_iteration", "last_token_iteration")
    stamps = [round(times[name] * 1e9) for name in names]
    request_id = request["response_id"].removeprefix("chatcmpl-")
    return Row(request_id, stamps[0], stamps[1], stamps[2], times["token_iterations"], request_id in first)
