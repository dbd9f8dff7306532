"""The work for peers that speak Chat Completions: files that they want to be given, and their records beside the ledger."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.accuracy import ledger
from benchmarks.accuracy.program import Usage
from benchmarks.accuracy.work import Done, Row, Work

_WORDS: dict[str, Any] = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": None,
    "decoder": None,
    "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"},
}


def base_url(work: Work) -> str:
    """Where ``/v1/chat/completions`` is."""
    return f"{work.url}/openai"


def environment(work: Work) -> dict[str, str]:
    """Trust in the endpoint's certificate."""
    return {"SSL_CERT_FILE": work.ca_bundle} if work.ca_bundle else {}


def requests_of(work: Work) -> int:
    """Of all streams, their first ones included."""
    return work.streams * (1 + work.requests)


def write_prompts(path: Path, member: str, work: Work) -> Path:
    """A JSON line a request, the prompt under ``member``."""
    path.write_text("".join(json.dumps({member: work.text}) + "\n" for _ in range(requests_of(work))))
    return path


def write_tokenizer(folder: Path) -> Path:
    """A tokenizer from no model hub: a word is a token. Peers do not start without one; they count by the service's ``usage``."""
    folder.mkdir()
    (folder / "tokenizer.json").write_text(json.dumps(_WORDS))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    return folder


def done(work: Work, usage: Usage, read_at_ns: int, rows_of: Callable[[ledger.Ledger], list[Row]]) -> Done:
    """CPU from the arrival of the first request to when the client had read the last answer, and the rows that the ledger makes.

    ``read_at_ns`` is the client's own stamp, wall time: a client that lags behind is still reading when the endpoint is done.
    """
    written = ledger.read(work.url, work.ca_bundle)
    if not written or any(row["ended_ns"] is None for row in written):
        raise RuntimeError(f"{len(written)} requests came, and not all were answered")
    read_ns = read_at_ns - (time.time_ns() - time.monotonic_ns())
    window = min(row["received_ns"] for row in written), max(read_ns, *(row["ended_ns"] for row in written))
    return Done(usage.between(*window), rows_of(written))
