"""Everything after the last request: seal, account, report, store. A fault in the report never costs a record."""

from __future__ import annotations

import errno
import time
from typing import Any

from fmbench.config.schema import Config
from fmbench.core.accounting import Accounting
from fmbench.core.failures import ExitCode, FmbenchError
from fmbench.run.closing import PASS, closing_table, report_line, settling_lines, show, validity_lines
from fmbench.run.locust_counts import locust_counts
from fmbench.run.say import end_of_run, give, is_quiet, say
from fmbench.run.traceback_file import write_traceback
from fmbench.storage.journal import written_journals
from fmbench.storage.manifest import DONE, FAILED, INCOMPLETE, INTERRUPTED, STOPPED, write_manifest
from fmbench.storage.reader import LocalRun, read_lines
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.seal import all_workers, read_load, seal, unfit_rows
from fmbench.storage.share import collect, forget_parts
from fmbench.storage.upload import forget_local_copy, upload

EARLY = frozenset({"budget", "target_down", "error_limit", "credentials"})
FULL = (errno.ENOSPC, errno.EDQUOT)
CUT = "cut"
"""The run's own process was killed, and somebody else finishes it."""
SIGNALS = {"sigint": ExitCode.INTERRUPTED, CUT: ExitCode.INTERRUPTED, "sigterm": ExitCode.TERMINATED}


def finish(folder: RunFolder, config: Config, manifest: dict[str, Any], ended: str, require: str | None = None) -> int:
    """Seal the journals, write manifest and report, store them, and return the exit status. Prints the run's address.

    ``require``: what a run that is done has to be besides (``valid``), or its status is ``NOT_VALID``.

    Whatever goes wrong, the folder stays, and the message says where and how to go on.
    """
    try:
        return _finish(folder, config, manifest, ended, require)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            return _no_space(folder)
        log = write_traceback(error, folder.path)
        what = f"The run could not be finished ({type(error).__name__}: {error}; traceback in {log})."
        say(f"{what} Every request is on disk: fmbench-load report {folder.path} goes on from there.")
        give(str(folder.path))
        return ExitCode.FAULT
    except BaseException:
        say(f"Interrupted while the run was being finished: fmbench-load report {folder.path} does the rest.")
        give(str(folder.path))
        raise


def _no_space(folder: RunFolder) -> int:
    say(f"{folder.path}: the disk is full, and the run is not sealed. Every request that was sent is in journal/.")
    say(f"Make room, then: fmbench-load report {folder.path}")
    give(str(folder.path))
    return ExitCode.STOPPED_EARLY


def _finish(folder: RunFolder, config: Config, manifest: dict[str, Any], ended: str, require: str | None) -> int:
    collected = _collect(folder, config, manifest)
    accounting, code = seal_into(manifest, folder, ended)
    say("Writing the report.")
    summary, fault = _report(folder)
    if fault is not None:
        full = isinstance(fault, OSError) and fault.errno in FULL
        code = code if full and code else ExitCode.FAULT
        manifest |= {"fault": f"{type(fault).__name__}: {fault}"} | ({} if full else {"status": FAILED})
        write_manifest(folder, manifest)
    stored = _store(folder, config, collected)
    address = folder.address if stored else str(folder.path)
    said = _said(summary)
    _tell(accounting, manifest, said, address)
    if code == ExitCode.DONE and require is not None and not is_valid(summary):
        code = ExitCode.NOT_VALID
    end_of_run(address, code if stored else (code or ExitCode.FAULT), said)
    return code if stored else (code or ExitCode.FAULT)


def _collect(folder: RunFolder, config: Config, manifest: dict[str, Any]) -> list[str]:
    """Fetch what load processes on other hosts stored, and name what is here now; what is missing is a warning of the report."""
    parts: list[str] = []
    if not folder.is_remote:
        return parts
    try:
        parts, faults = collect(folder, read_load(folder).get("workers", []), config.region)
    except (FmbenchError, OSError) as error:
        faults = [f"what load processes on other hosts stored could not be fetched: {error}"]
    for fault in faults:
        say(f"warning: {fault}")
    manifest["warnings"] = [*manifest.get("warnings", []), *faults]
    return parts


def seal_into(manifest: dict[str, Any], folder: RunFolder, ended: str) -> tuple[Accounting, ExitCode]:
    """Seal the journals, and write what that says into ``manifest`` and its file."""
    earlier = manifest.get("workers") or []
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
    manifest |= closing_entries(folder, ended, accounting, code) | {"workers": workers}
    manifest.pop("process", None)
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


def closing_entries(folder: RunFolder, ended: str, accounting: Accounting, code: ExitCode) -> dict[str, Any]:
    """What the manifest learns at the end of a run."""
    statuses = {
        ExitCode.DONE: DONE,
        ExitCode.STOPPED_EARLY: STOPPED,
        ExitCode.UNACCOUNTED: INCOMPLETE,
        ExitCode.INTERRUPTED: INTERRUPTED,
        ExitCode.TERMINATED: INTERRUPTED,
    }
    load = read_load(folder)
    return {
        "status": statuses.get(code, FAILED),
        "ended": ended,
        "message": load.get("message"),
        "ended_at": load.get("ended_at") or time.time(),
        "cells": read_lines(folder.cells),
        "locust": locust_counts(folder.locust),
        "accounting": accounting.to_dict(),
    }


def report_on(run: LocalRun) -> dict[str, Any]:
    """Write the report of ``run`` from what is stored of it, and nothing else. Returns its summary."""
    from fmbench.core.summary import summarise
    from fmbench.report import write_report
    from fmbench.run.evidence import records_of

    summary = summarise(records_of(run), run.manifest, run.health())
    write_report(run, summary)
    return summary


def is_valid(summary: dict[str, Any] | None) -> bool:
    """Whether the report's verdict on the run itself is PASS; a run without a report is not."""
    return ((summary or {}).get("validity") or {}).get("verdict") == PASS


def _report(folder: RunFolder) -> tuple[dict[str, Any] | None, Exception | None]:
    """The summary and None, or None and what went wrong; the records are safe either way."""
    try:
        return report_on(LocalRun(folder)), None
    except Exception as error:
        what = f"The report could not be written ({type(error).__name__}: {error}). The records are complete"
        say(f"{what}: fmbench-load report {folder.path} tries it again. The traceback is in {write_traceback(error)}.")
        return None, error


def _said(summary: dict[str, Any] | None) -> dict[str, Any] | None:
    """The summary as summary.json has it: every message its sentence."""
    from fmbench.report.summary import worded

    said: dict[str, Any] | None = worded(summary)
    return said


def tell_answer(said: dict[str, Any]) -> None:
    """The answer of a report, what the run could tell, and a row a model; ``said`` as summary.json has it."""
    from fmbench.report.summary import closing_line

    say(closing_line(said))
    for line in settling_lines(said):
        say(line)
    table = closing_table(said)
    if table is not None and not is_quiet():
        show(table)


def tell_trust(said: dict[str, Any], address: str) -> None:
    """Whether a report's run is valid, and where the report is; ``said`` as summary.json has it."""
    for line in [*validity_lines(said), report_line(address)]:
        say(line)


def _store(folder: RunFolder, config: Config, collected: list[str]) -> bool:
    """Bring the run to where it belongs; of the journals of other hosts, those that were ``collected`` go from there."""
    if not folder.is_remote:
        return True
    try:
        upload(folder, config.region)
        forget_parts(folder, collected, config.region)
    except (FmbenchError, OSError) as error:
        say(f"Not everything could be stored at {folder.address} ({error}). The whole run is kept in {folder.path}.")
        return False
    forget_local_copy(folder)
    return True


def _tell(accounting: Accounting, manifest: dict[str, Any], said: dict[str, Any] | None, address: str) -> None:
    """The last lines: the answer and a row a model, what was sent, whether that is valid, and where to read on."""
    if said is not None:
        tell_answer(said)
    counts = f"{accounting.sent:,} requests sent: {accounting.ok:,} ok, {accounting.failed:,} failed"
    if not accounting.complete:
        counts += f", {accounting.abandoned:,} abandoned, {accounting.lost:,} lost, {accounting.duplicated:,} duplicated"
    because = f" ({manifest['message']})" if manifest.get("message") else ""
    say(f"{counts}. Status: {manifest['status']}{because}.")
    if said is not None:
        tell_trust(said, address)
