"""``fmbench-load runs``: what there is below a folder or a prefix of a store, newest first."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fmbench.core.failures import ExitCode, UnusableInput
from fmbench.report.wording import level_text
from fmbench.run.lists import print_table
from fmbench.storage.store import Store, is_remote, store_for

MANIFEST, SUMMARY = "manifest.json", "summary.json"
_LATEST = 253_402_300_800.0
"""The year 10,000, in epoch seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One run in a line. ``usd`` is None when not every request has a price; ``answer`` when there is no report yet."""

    run_id: str
    address: str
    name: str
    started_at: float | None
    status: str
    endpoint: str
    answer: str | None
    validity: str | None
    usd: float | None
    requests: int | None

    def row(self) -> tuple[str, ...]:
        """The line of the table."""
        started = "" if self.started_at is None else datetime.fromtimestamp(self.started_at, UTC).strftime("%Y-%m-%d %H:%M")
        answer = self.answer or (f"no report yet ({self.status})")
        cost = "" if self.requests is None else "unknown" if self.usd is None else f"{self.usd:.2f}"
        return started, self.name, answer, self.validity or "", cost, self.address


def list_runs(where: str, as_json: bool) -> int:
    """Print the runs below ``where``, newest first; the addresses are what ``report`` and ``compare`` take."""
    found = sorted(past_runs(where), key=lambda run: run.run_id, reverse=True)
    if as_json:
        for run in found:
            print(json.dumps(asdict(run)))
        return ExitCode.DONE
    if not found:
        raise UnusableInput(f"{where}: there is no run below it; give the folder or prefix that --output had.")
    columns = ("started (UTC)", "name", "answer", "validity", "USD", "run")
    print_table(columns, [run.row() for run in found], ("USD",))
    return ExitCode.DONE


def past_runs(where: str) -> Iterator[PastRun]:
    """Each run below ``where``. What is no manifest of a run is passed over. Raises ``Refused`` when a store cannot be read."""
    store = store_for(where)
    for name in _manifests(where, store):
        manifest = _read(store, name)
        if manifest is not None and isinstance(manifest.get("run_id"), str):
            folder = name.removesuffix(MANIFEST).rstrip("/")
            summary = _read(store, f"{folder}/{SUMMARY}" if folder else SUMMARY) or {}
            yield _past(f"{store.address}/{folder}".rstrip("/"), manifest, summary)


def _manifests(where: str, store: Store) -> list[str]:
    """Names of the manifests. A folder is not searched below a run, whose own files are many."""
    if is_remote(where):
        return [name for name in store.list() if name.rpartition("/")[2] == MANIFEST]
    top, found = Path(where).expanduser(), []
    for folder, below, files in os.walk(top):
        if MANIFEST in files:
            found.append((Path(folder).relative_to(top) / MANIFEST).as_posix())
            below.clear()
    return found


def _read(store: Store, name: str) -> dict[str, Any] | None:
    try:
        value = json.loads(store.get_bytes(name))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _past(address: str, manifest: Mapping[str, Any], summary: Mapping[str, Any]) -> PastRun:
    costs = [_number(_object(cell).get("usd")) for cell in _list(summary.get("cells"))]
    known = [usd for usd in costs if usd is not None]
    sent, verdict = _object(manifest.get("accounting")).get("sent"), _object(summary.get("validity")).get("verdict")
    return PastRun(
        run_id=str(manifest["run_id"]),
        address=address,
        name=str(manifest.get("name", "")),
        started_at=_number(manifest.get("started_at"), _LATEST),
        status=str(manifest.get("status", "")),
        endpoint=str(manifest.get("endpoint", "")),
        answer=_answer(summary) if summary else None,
        validity=verdict if isinstance(verdict, str) else None,
        usd=sum(known) if known and len(known) == len(costs) else None,
        requests=sent if type(sent) is int else None,
    )


def _answer(summary: Mapping[str, Any]) -> str:
    chosen = _object(summary.get("recommendation"))
    model, users, rate = chosen.get("model"), chosen.get("concurrency"), _number(chosen.get("rate_per_min"))
    if not isinstance(model, str) or (rate is None and type(users) is not int):
        return "none"
    return f"{model} at {level_text(users if type(users) is int else 0, rate)}"


def _object(value: Any) -> dict[str, Any]:
    """What should be an object of a stored file; an empty one where it is something else."""
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any, most: float = math.inf) -> float | None:
    """What should be a number, from 0; None where it is something else."""
    return float(value) if type(value) in (int, float) and 0 <= value < most else None
