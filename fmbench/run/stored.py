"""What is done with stored runs: the report again, and a comparison of two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fmbench.core.failures import ExitCode, Refused
from fmbench.run.accounts import CUT, close_as, code_of, seal_into, status_of
from fmbench.run.finish import report_on, tell_answer, tell_trust
from fmbench.run.say import give, say
from fmbench.storage.journal import written_journals
from fmbench.storage.manifest import RUNNING, at_work
from fmbench.storage.reader import LocalRun, open_run
from fmbench.storage.seal import read_load
from fmbench.storage.share import forget_parts
from fmbench.storage.store import store_for
from fmbench.storage.stores.local import LocalStore
from fmbench.storage.upload import upload_files

if TYPE_CHECKING:
    from fmbench.report.drawing import Drawing


def report(address: str, output: str | None = None, drawing: Drawing | None = None) -> int:
    """Write the report of the run at ``address`` again, from its records alone. A run that was cut is sealed first.

    ``output``: a folder or the address of a store, where the whole run is stored, too, by its id. ``drawing``: what draws its
    pictures, where that has been started.
    """
    if output is not None:
        check_output(output)
    run = open_run(address)
    running = run.manifest.get("status") == RUNNING
    parts = [f"journal/{path.name}" for path in run.folder.journal.glob("*.jsonl")]
    recovered = _seal_what_was_cut(run)
    before = set() if recovered or not run.folder.is_remote else _digests(run)
    report_on(run, drawing)
    _close(run)
    if run.folder.is_remote:
        run.publish([name for name, digest in sorted(_digests(run)) if (name, digest) not in before])
    if recovered and run.folder.is_remote and not running:  # of a run that goes on the master needs them yet
        forget_parts(run.folder, parts, None)
    give(run.address if output is None else store_at(run, output))
    return ExitCode.DONE


def check_output(output: str) -> None:
    """Raises ``Refused`` or ``UnusableInput`` where nothing can be stored."""
    store_for(output).check_writable()


def store_at(run: LocalRun, output: str) -> str:
    """Store every file of ``run`` below ``output`` by its run id, over an earlier copy of it. Returns its address there."""
    store = store_for(f"{output.rstrip('/')}/{run.run_id}", run.manifest.get("region"))
    upload_files(run.folder, LocalStore(str(run.path)).list(), store)
    return store.address


def report_what_if(address: str, overrides: Sequence[str], output: str | None, drawing: Drawing | None = None) -> int:
    """Write the report that the run's records give with other objectives into a folder of its own; its path is printed."""
    from fmbench.run.what_if import what_if

    run = open_run(address)
    to = Path(output or f"what-if-{run.folder.run_id}")
    said = what_if(run, overrides, to, drawing)
    tell_answer(said)
    tell_trust(said, str(to))
    give(str(to))
    return ExitCode.DONE


def _digests(run: LocalRun) -> set[tuple[str, str]]:
    return {(name, hashlib.sha256((run.path / name).read_bytes()).hexdigest()) for name in LocalStore(str(run.path)).list()}


def _close(run: LocalRun) -> None:
    """The report is there: the manifest says how the run ended, unless somebody is still at work on it."""
    manifest = run.manifest
    if manifest.get("accounting") is None or manifest.get("ended") is None or at_work(manifest):
        return
    status = status_of(code_of(manifest))
    if manifest["status"] != status or "process" in manifest:
        manifest.pop("fault", None)
        close_as(status, manifest, run.folder)


def _seal_what_was_cut(run: LocalRun) -> bool:
    """A run whose process died, or that plain Locust made, has journals and no records yet."""
    sealed = run.manifest.get("accounting") is not None or not run.folder.records.is_dir()
    if not run.folder.journal.is_dir() and sealed:
        return False
    if written := written_journals(run.folder.journal):
        names = ", ".join(path.stem for path in written)
        raise Refused(f"{run.address}: goes on: load processes still write ({names}); ask again when they have ended.")
    say("This run was not finished: its journals are sealed first.")
    seal_into(run.manifest, run.folder, str(read_load(run.folder).get("ended", CUT)))
    return True


def compare(
    a: Sequence[str],
    b: Sequence[str],
    fail_on: Sequence[str],
    as_json: bool,
    *,
    undecided_fails: bool = False,
    smallest: float | None = None,
) -> int:
    """Say on stdout, as Markdown or JSON, which cells of the runs ``b`` differ from those of the runs ``a``.

    Returns 6 when a ``fail_on`` rule is broken, or undecided where that fails.
    """
    from fmbench.core.rules import parse_rule
    from fmbench.core.rulings import compare as compare_runs
    from fmbench.report.comparison import data, markdown
    from fmbench.run.evidence import records_of

    for rule in fail_on:
        parse_rule(rule)
    first, second = ([(records_of(run), run.manifest) for run in map(open_run, side)] for side in (a, b))
    found = compare_runs(first, second, fail_on, smallest)
    give(json.dumps(data(found), indent=2, ensure_ascii=False) if as_json else markdown(found).rstrip())
    failed = found.regression or (undecided_fails and found.undecided)
    return ExitCode.REGRESSION if failed else ExitCode.DONE
