"""One trial of a fault: a whole run through the real command, held against what the endpoint saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.commands import Desk, Ended
from tests.faults.hostile import Ledger

NOVA = "us.amazon.nova-lite-v1:0"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one trial. ``unaccounted``: requests that reached the endpoint and are neither a row nor said to be lost;
    below 0: rows that say "sent" of requests that the endpoint never saw. ``lost``: said to be lost."""

    sent: int
    unaccounted: int
    status: int
    lost: int = 0


Fault = Callable[[Path], Trial]
FAULTS: dict[str, Fault] = {}
"""Every fault by what it is called in docs/reliability.md."""


def fault(name: str) -> Callable[[Fault], Fault]:
    """Put a trial under its name."""

    def register(trial: Fault) -> Fault:
        assert name not in FAULTS
        FAULTS[name] = trial
        return trial

    return register


def config(**sections: Any) -> dict[str, Any]:
    """One model, one bucket, one level: a second."""
    return {
        "name": "fault",
        "models": [{"id": NOVA, "label": "nova"}],
        "region": "us-east-1",
        "inference": {"max_tokens": 12},
        "dataset": {"buckets": ["100-300"], "prompts_per_bucket": 4},
        "load": {"concurrency": [4], "warmup_s": 0.2, "duration_s": 1, "min_requests": 0},
        "pricing": {NOVA: {"input": 0.06, "output": 0.24}},
    } | sections


def desk(place: Path, ledger: Ledger | None = None, **variables: str) -> Desk:
    """A desk in ``place`` whose commands ask the endpoint of ``ledger``."""
    url = {} if ledger is None else {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": ledger.url}
    return Desk(place, KEYS | url | variables)


def trial(ended: Ended, sent: int, run: Path | None = None) -> Trial:
    """The trial of a run that the endpoint saw ``sent`` requests of. Its manifest and its rows have to agree."""
    import pandas as pd

    folder = run or ended.run
    rows = pd.read_parquet(folder / "records")
    counts = json.loads((folder / "manifest.json").read_text())["accounting"]
    assert counts["ok"] + counts["failed"] + counts["abandoned"] == len(rows)
    assert not rows.duplicated(["run_id", "worker", "user", "seq"]).any()
    surely = int(rows.sent_at.notna().sum())
    perhaps = int((rows.sent_at.isna() & (rows.outcome == "abandoned")).sum())
    return Trial(sent, unaccounted(sent, surely, perhaps, counts["lost"]), ended.status, counts["lost"])


def unaccounted(sent: int, surely: int, perhaps: int, lost: int) -> int:
    """What the endpoint saw beyond the rows. Whether a request without a record went out, nobody knows."""
    missing = sent - surely - perhaps - lost
    return missing if missing > 0 else min(0, sent - surely)
