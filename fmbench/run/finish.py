"""Everything after the last request: seal, account, report, store. A fault in the report never costs a record."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

from fmbench.core.accounting import Accounting
from fmbench.core.failures import ExitCode, FmbenchError
from fmbench.report.numbers import plural
from fmbench.run.accounts import close_as, seal_into, status_of
from fmbench.run.closing import PASS, closing_table, doubt_lines, report_lines, settling_lines, show, validity_lines
from fmbench.run.cloudwatch import ask_cloudwatch
from fmbench.run.say import end_of_run, give, is_quiet, say
from fmbench.run.signals import Terminated, code_for, put_off, word_of
from fmbench.run.traceback_file import write_traceback
from fmbench.storage.disk import said_of
from fmbench.storage.manifest import FAILED, INTERRUPTED, write_manifest
from fmbench.storage.reader import LocalRun
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.seal import read_load
from fmbench.storage.share import collect, forget_parts
from fmbench.storage.upload import MANIFEST, forget_local_copy, upload

if TYPE_CHECKING:
    from fmbench.config.schema import Config
    from fmbench.report.drawing import Drawing

Leave = Callable[[RunFolder], None]


def finish(
    folder: RunFolder,
    config: Config,
    manifest: dict[str, Any],
    ended: str,
    require: str | None = None,
    leave: Leave = forget_local_copy,
) -> int:
    """Seal the journals, write the report, store everything, and return the exit status. Prints the run's address.

    ``require``: what a run that is done has to be besides (``valid``), or its status is ``NOT_VALID``.
    ``leave``: what becomes of the folder here when the run is stored elsewhere.

    Whatever goes wrong, the folder stays, and the message says where and how to go on. A signal ends it when the journals are
    sealed; its exit status is returned, and the manifest says ``interrupted``.
    """
    try:
        return _finish(folder, config, manifest, ended, require, leave)
    except (KeyboardInterrupt, Terminated) as signal:
        with put_off():
            return _interrupted(folder, manifest, signal)
    except Exception as error:
        if (said := said_of(error)) is not None and (folder.records.is_dir() or folder.journal.is_dir()):
            return _by_the_disk(folder, said)
        if not folder.records.is_dir() and not folder.journal.is_dir():
            return _gone(folder)
        log = write_traceback(error, folder.path)
        with suppress(OSError):
            manifest["fault"] = f"{type(error).__name__}: {error}"
            close_as(FAILED, manifest, folder)
        what = f"The run could not be finished ({type(error).__name__}: {error}; traceback in {log})."
        say(f"{what} Every request is on disk: fmbench-load report {folder.path} goes on from there.")
        give(str(folder.path))
        return ExitCode.FAULT


def _interrupted(folder: RunFolder, manifest: dict[str, Any], signal: BaseException) -> int:
    """The journals are sealed or as they were; what else was to be done is left, and said."""
    close_as(INTERRUPTED, manifest, folder)
    rest = f"fmbench-load report {folder.path} does the rest"
    if folder.is_remote:
        rest = f"--resume {folder.run_id} with the same options writes the report and brings it to {folder.address}"
    say(f"{word_of(signal)} while the run was being finished. Every request that was sent is in {folder.path}: {rest}.")
    give(str(folder.path))
    return code_for(signal)


def _by_the_disk(folder: RunFolder, said: str) -> int:
    where = "journal/" if folder.journal.is_dir() else "records/"
    say(f"{said}. The run in {folder.path} is not finished. Every request that was sent is in its {where}.")
    say(f"When that is done: fmbench-load report {folder.path}")
    give(str(folder.path))
    return ExitCode.STOPPED_EARLY


def _gone(folder: RunFolder) -> int:
    say(
        f"{folder.path}: was moved or deleted while the run was being finished. Where it was moved, `fmbench-load report` with "
        "its new place does the rest; of a deleted one nothing is left."
    )
    return ExitCode.UNACCOUNTED


def _finish(folder: RunFolder, config: Config, manifest: dict[str, Any], ended: str, require: str | None, leave: Leave) -> int:
    collected = _collect(folder, config, manifest)
    with put_off():
        accounting, code = seal_into(manifest, folder, ended)
    _ask_cloudwatch(folder, config, manifest)
    say("Writing the report.")
    summary, fault = _report(folder)
    status = status_of(code)
    if fault is not None:
        ours = said_of(fault) is None
        code = ExitCode.FAULT if ours or not code else code
        manifest |= {"fault": f"{type(fault).__name__}: {fault}"}
        status = FAILED if ours else status
    if code == ExitCode.DONE and require is not None and not is_valid(summary):
        code = ExitCode.NOT_VALID
    upload_fault = _upload(folder, config)
    with put_off(again=False):  # all is done: a signal changes nothing any more
        stored = upload_fault is None and _close(folder, config, manifest, status, collected, leave)
        if upload_fault is not None:
            _not_stored(folder, manifest, upload_fault)
        code = code if stored else (code or ExitCode.FAULT)
        address = folder.address if stored else str(folder.path)
        said = _said(summary)
        _tell(accounting, manifest, said, address)
        end_of_run(address, code, said)
    return code


def _ask_cloudwatch(folder: RunFolder, config: Config, manifest: dict[str, Any]) -> None:
    """What a second witness says, kept in the manifest: reports are made from it alone."""
    told = ask_cloudwatch(config, manifest["cells"])
    if told is not None:
        manifest["cloudwatch"] = told
        write_manifest(folder, manifest)


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


def report_on(run: LocalRun, drawing: Drawing | None = None) -> dict[str, Any]:
    """Write the report of ``run`` from what is stored of it, and nothing else. Returns its summary.

    ``drawing``: what draws its pictures, where that has been started.
    """
    from fmbench.report.drawing import Drawing
    from fmbench.run.evidence import table_of

    with Drawing() if drawing is None else nullcontext(drawing) as apart:
        gaps = apart.gaps(run.folder.records, run.manifest.get("cells") or [])
        table = table_of(run)  # its columns are read while the rest is imported
        from fmbench.core.summary import summarise_table
        from fmbench.report.write import write_report

        summary = summarise_table(table, run.manifest, run.health())
        write_report(run, summary, table, apart, gaps)
    return summary


def is_valid(summary: dict[str, Any] | None) -> bool:
    """Whether the report's verdict on the run itself is PASS; a run without a report is not."""
    return ((summary or {}).get("validity") or {}).get("verdict") == PASS


def _report(folder: RunFolder) -> tuple[dict[str, Any] | None, Exception | None]:
    """The summary and None, or None and what went wrong; the records are safe either way."""
    try:
        return report_on(LocalRun(folder)), None
    except Exception as error:
        if (said := said_of(error)) is not None:
            say(f"The report could not be written: {said}. The records are complete.")
            say(f"When that is done: fmbench-load report {folder.path}")
            return None, error
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
    for line in [*doubt_lines(said), *settling_lines(said)]:
        say(line)
    table = closing_table(said)
    if table is not None and not is_quiet():
        show(table)


def tell_trust(said: dict[str, Any], address: str) -> None:
    """Whether a report's run is valid, and where the report is; ``said`` as summary.json has it."""
    for line in [*validity_lines(said), *report_lines(address)]:
        say(line)


def _upload(folder: RunFolder, config: Config) -> Exception | None:
    """Bring everything but the manifest to where it belongs. Returns why that could not be."""
    try:
        upload(folder, config.region, but=(MANIFEST,))
    except (FmbenchError, OSError) as error:
        return error
    return None


def _close(folder: RunFolder, config: Config, manifest: dict[str, Any], status: str, collected: list[str], leave: Leave) -> bool:
    """Say in the manifest how the run ended, here and where it belongs. Of the journals of other hosts, those that were
    ``collected`` go from there. False: the manifest could not be stored."""
    close_as(status, manifest, folder)
    try:
        upload(folder, config.region, only=(MANIFEST,))
    except (FmbenchError, OSError) as error:
        _not_stored(folder, manifest, error)
        return False
    if folder.is_remote:
        forget_parts(folder, collected, config.region)
        leave(folder)
    return True


def _not_stored(folder: RunFolder, manifest: dict[str, Any], error: Exception) -> None:
    manifest["fault"] = f"not stored at {folder.address}: {error}"
    close_as(FAILED, manifest, folder)
    say(f"Not everything could be stored at {folder.address} ({str(error).rstrip('.')}). The whole run is kept in {folder.path}.")
    say(f"When that is mended: {_storing_command(folder, manifest)}")


def _storing_command(folder: RunFolder, manifest: dict[str, Any]) -> str:
    """The command that brings the run to where it belongs; where load processes elsewhere stored parts, the one that fetches
    them first."""
    if any(worker.get("parts") for worker in read_load(folder).get("workers", [])):
        return f"{manifest['command']} --resume {folder.run_id}"
    above = folder.address.removesuffix(f"/{folder.run_id}")
    return shlex.join(["fmbench-load", "report", str(folder.path), "--output", above])


def _tell(accounting: Accounting, manifest: dict[str, Any], said: dict[str, Any] | None, address: str) -> None:
    """The last lines: the answer and a row a model, what was sent, whether that is valid, and where to read on."""
    if said is not None:
        tell_answer(said)
    word = "attempt" if manifest["config"]["load"].get("retry") else "request"
    counts = f"{plural(accounting.sent, word)} sent: {accounting.ok:,} ok, {accounting.failed:,} failed"
    if not accounting.complete:
        counts += f", {accounting.abandoned:,} abandoned, {accounting.lost:,} lost, {accounting.duplicated:,} duplicated"
    because = f" ({manifest['message']})" if manifest.get("message") else ""
    say(f"{counts}. Status: {manifest['status']}{because}.")
    if said is not None:
        tell_trust(said, address)
