"""What a run's manifest says of its end. It says ``running`` until everything is where it belongs, and only then how it ended."""

from __future__ import annotations

import time
from typing import Any

from fmbench.core.accounting import Accounting
from fmbench.core.failures import ExitCode
from fmbench.run.locust_counts import locust_counts
from fmbench.run.say import say
from fmbench.run.unstarted import write_unstarted
from fmbench.storage.journal import written_journals
from fmbench.storage.manifest import DONE, FAILED, INCOMPLETE, INTERRUPTED, STOPPED, write_manifest
from fmbench.storage.reader import read_lines
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.seal import all_workers, read_load, seal, unfit_rows

EARLY = frozenset({"budget", "target_down", "error_limit", "credentials"})
CUT = "cut"
"""The run's own process was killed, and somebody else finishes it."""
SIGNALS = {"sigint": ExitCode.INTERRUPTED, CUT: ExitCode.INTERRUPTED, "sigterm": ExitCode.TERMINATED}
STATUSES = {
    ExitCode.DONE: DONE,
    ExitCode.STOPPED_EARLY: STOPPED,
    ExitCode.UNACCOUNTED: INCOMPLETE,
    ExitCode.INTERRUPTED: INTERRUPTED,
    ExitCode.TERMINATED: INTERRUPTED,
}


def seal_into(manifest: dict[str, Any], folder: RunFolder, ended: str) -> tuple[Accounting, ExitCode]:
    """Seal the journals, and write what that says into ``manifest`` and its file; its ``status`` stays as it is."""
    earlier = manifest.get("workers") or []
    write_unstarted(folder)
    accounting = seal(folder, earlier)
    code = exit_code(ended, accounting)
    held = written_journals(folder.journal)
    if held:
        names = ", ".join(path.stem for path in held)
        said = (
            f"load processes of this run still write ({names}): when they have ended, `fmbench-load report` adds what they sent."
        )
        say(f"warning: {said}")
        manifest["warnings"] = [*manifest.get("warnings", []), said]
        code = ExitCode.UNACCOUNTED
    workers = all_workers(folder, earlier)
    unfit = unfit_rows(folder)
    if unfit:
        said = (
            f"{unfit} rows held a value that its column cannot hold: they are in records/ without it, and as they were in unfit/."
        )
        manifest["warnings"] = [*manifest.get("warnings", []), said]
    manifest |= closing_entries(folder, ended, accounting) | {"workers": workers}
    write_manifest(folder, manifest)
    return accounting, code


def exit_code(ended: str, accounting: Accounting) -> ExitCode:
    """The exit status of a run that ended as the controller says, with these requests accounted for."""
    if ended in SIGNALS:
        return SIGNALS[ended]
    if ended == "worker_lost" or not accounting.complete:
        return ExitCode.UNACCOUNTED
    if ended in EARLY:
        return ExitCode.STOPPED_EARLY
    return ExitCode.DONE if ended == "done" else ExitCode.FAULT


def code_of(manifest: dict[str, Any]) -> ExitCode:
    """The exit status of a run whose journals are sealed, from what its manifest says."""
    counts = {key: count for key, count in manifest["accounting"].items() if key != "planned"}
    return exit_code(str(manifest["ended"]), Accounting(**counts))


def closing_entries(folder: RunFolder, ended: str, accounting: Accounting) -> dict[str, Any]:
    """What the manifest learns when the journals are sealed."""
    load = read_load(folder)
    return {
        "ended": ended,
        "message": load.get("message"),
        "ended_at": load.get("ended_at") or time.time(),
        "cells": read_lines(folder.cells),
        "locust": locust_counts(folder.locust),
        "accounting": accounting.to_dict(),
    }


def close_as(status: str, manifest: dict[str, Any], folder: RunFolder) -> None:
    """Write how the run ended: the last word of its manifest, when nobody is at work on it any more."""
    manifest["status"] = status
    manifest.pop("process", None)
    write_manifest(folder, manifest)


def status_of(code: ExitCode) -> str:
    """The manifest's word for an exit status."""
    return STATUSES.get(code, FAILED)
