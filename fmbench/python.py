"""FMBench Load from Python: a run, its records as a DataFrame, its summary, its report with other objectives; two runs."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from fmbench.config.document import read_document, write_document
from fmbench.config.faults import all_faults
from fmbench.config.load import check
from fmbench.core.failures import ExitCode, FmbenchError, UnusableInput
from fmbench.core.rulings import Comparison
from fmbench.run.what_if import what_if
from fmbench.simulator.process import RunningSimulator, start
from fmbench.storage.reader import LocalRun, open_run

_WITHOUT_A_RUN = (ExitCode.FAULT, ExitCode.UNUSABLE, ExitCode.REFUSED)


@dataclass(frozen=True)
class Run:
    """A stored run."""

    stored: LocalRun
    status: int = ExitCode.DONE
    """The exit status that the run ended with (docs/cli.md); 0 for one that was only opened."""

    @property
    def address(self) -> str:
        """Where it is stored: a folder, or an address in a store."""
        return self.stored.address

    @cached_property
    def records(self) -> pd.DataFrame:
        """A row a request (docs/records.md)."""
        return self.stored.records()

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What the run was."""
        return self.stored.manifest

    @cached_property
    def summary(self) -> dict[str, Any]:
        """summary.json: the cells, the recommendation, the validity. Raises ``FileNotFoundError`` for a run without a report."""
        summary: dict[str, Any] = json.loads(self.stored.folder.summary.read_text(encoding="utf-8"))
        return summary

    @property
    def recommendation(self) -> dict[str, Any] | None:
        """``{model, bucket, concurrency, reason, …}``; None: no model is shown to meet every objective."""
        chosen: dict[str, Any] | None = self.summary["recommendation"]
        return chosen

    def report(self, objectives: Mapping[str, Any] | None = None, to: str | Path | None = None) -> dict[str, Any]:
        """The summary that the stored records give with other ``objectives`` (``{"ttft_p95_s": 0.4}``), key by key over its own.

        ``to``: a folder for the whole report. The run itself is left as it is. Raises ``UnusableInput`` for an objective that
        there is not.
        """
        overrides = [f"objectives.{key}={json.dumps(value)}" for key, value in (objectives or {}).items()]
        return what_if(self.stored, overrides, None if to is None else Path(to))

    def _repr_html_(self) -> str:
        path = self.stored.path / "report.html"
        return path.read_text(encoding="utf-8") if path.exists() else f"<code>{self.address}</code>"


Stored = Run | str | Path
"""A run, opened or by its address."""


def run(
    config: str | Path | Mapping[str, Any],
    *,
    overrides: Mapping[str, Any] | None = None,
    output: str | Path | None = None,
    seed: int | None = None,
    processes: int = 1,
) -> Run:
    """The whole job, as ``fmbench-load CFG.yml`` does it. ``config``: a file, or what it would hold; ``overrides``: ``--set``.

    It spends what the configuration's budget lets it, without a question. Raises ``FmbenchError`` with the program's message when
    there is no run; one that ended early is returned, with its ``status``. It waits for the end: call it in a thread
    (``asyncio.to_thread``) to go on meanwhile. An interrupt lets the requests in flight end, and then raises
    ``KeyboardInterrupt`` with the run's address.
    """
    options = [part for key, value in (overrides or {}).items() for part in ("--set", f"{key}={json.dumps(value)}")]
    options += [*_option("--output", output), *_option("--seed", seed), *_option("--processes", processes)]
    if not isinstance(config, Mapping):
        return _run(str(config), options)
    with tempfile.TemporaryDirectory(prefix="fmbench-load-") as scratch:
        file = Path(scratch) / "config.yml"
        file.write_text(write_document(_plain(config, "the configuration")), encoding="utf-8")
        try:
            return _run(str(file), options)
        except FmbenchError as error:
            raise FmbenchError(re.sub(rf"{re.escape(str(file))}(:\d+)?", "the configuration", str(error))) from None


def _plain(value: Any, place: str) -> Any:
    """``value`` as a YAML file holds it: numbers and arrays of numpy, paths and tuples included. Raises ``UnusableInput``."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, f"{place}, {key}") for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset | range):
        return [_plain(inner, place) for inner in value]
    if isinstance(value, Path):
        return str(value)
    if not isinstance(value, str | int | float | None) and hasattr(value, "tolist"):
        return _plain(value.tolist(), place)
    if not isinstance(value, str | int | float | None):
        kind = type(value).__name__
        raise UnusableInput(f"{place}: is a {kind}, which no configuration holds; give text, numbers, lists or dictionaries.")
    return value


def _run(config: str, options: Sequence[str]) -> Run:
    command = [sys.executable, "-m", "fmbench", "run", "--config", config, "--yes", "--quiet", *options]
    status, out, said = _called(command)
    if status in _WITHOUT_A_RUN or not out.strip():
        raise FmbenchError(said.strip().removeprefix("fmbench-load: ") or f"ended with status {status}")
    return Run(open_run(out.splitlines()[-1]), status)


def _called(command: Sequence[str]) -> tuple[int, str, str]:
    """Status, stdout and stderr. An interrupt (of a notebook's kernel, say) is handed on once, and what ran is reported first."""
    none, pipe = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(command, stdin=none, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        try:
            out, said = process.communicate()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate()
            where = f"what ran is in {out.splitlines()[-1]}" if out.strip() else "no request was sent"
            raise KeyboardInterrupt(where) from None
    return process.returncode, out, said


def _option(name: str, value: object) -> list[str]:
    return [] if value is None else [name, str(value)]


def load_run(address: str | Path) -> Run:
    """The run at ``address``: a folder, or an address in a store. Raises ``UnusableInput`` when there is none."""
    return Run(open_run(str(address)))


def compare(a: Stored | Sequence[Stored], b: Stored | Sequence[Stored], fail_on: Sequence[str] = ()) -> Comparison:
    """Which cells of ``b`` differ from those of ``a``, by how much, how surely; several runs a side are populations. A run is one
    that was opened, or its address. Raises ``UnusableInput`` where there is none."""
    from fmbench.core.rulings import compare as compare_runs
    from fmbench.run.evidence import records_of

    sides = [[each] if isinstance(each, Run | str | Path) else list(each) for each in (a, b)]
    runs = [[one if isinstance(one, Run) else load_run(one) for one in side] for side in sides]
    first, second = ([(records_of(one.stored), one.manifest) for one in side] for side in runs)
    return compare_runs(first, second, fail_on, None)


def simulator(host: str = "127.0.0.1", port: int = 0, **behaviour: Any) -> RunningSimulator:
    """A simulator until its ``stop()``, or as a context manager, at its ``url``; ``behaviour`` is what ``simulator:`` takes.
    Raises ``UnusableInput`` for what it does not take."""
    whole = {"models": [{"id": "any.model"}], "simulator": _plain(behaviour, "simulator")}
    config, faults = check(read_document(write_document(whole), "fmbench.simulator"))
    if faults or config is None or config.simulator is None:
        raise UnusableInput(all_faults(faults, "fmbench.simulator"))
    return start(config.simulator, host, port)
