"""What is done with stored runs: the report again, and a comparison of two."""

from __future__ import annotations

from collections.abc import Sequence

from fmbench.core.failures import ExitCode
from fmbench.run.finish import CUT, report_on, seal_into
from fmbench.run.say import say
from fmbench.storage.local import LocalStore
from fmbench.storage.reader import LocalRun, open_run
from fmbench.storage.seal import read_load


def report(address: str) -> int:
    """Write the report of the run at ``address`` again, from its records alone. A run that was cut is sealed first."""
    run = open_run(address)
    recovered = _seal_what_was_cut(run)
    before = set() if recovered else _digests(run)
    report_on(run)
    run.publish([name for name, digest in sorted(_digests(run)) if (name, digest) not in before])
    print(run.address, flush=True)
    return ExitCode.DONE


def _digests(run: LocalRun) -> set[tuple[str, str]]:
    import hashlib

    return {(name, hashlib.sha256((run.path / name).read_bytes()).hexdigest()) for name in LocalStore(str(run.path)).list()}


def _seal_what_was_cut(run: LocalRun) -> bool:
    """A run whose process died, or that plain Locust made, has journals and no records yet."""
    if not run.folder.journal.is_dir():
        return False
    say("This run was not finished: its journals are sealed first.")
    seal_into(run.manifest, run.folder, str(read_load(run.folder).get("ended", CUT)))
    return True


def compare(address_a: str, address_b: str, fail_on: Sequence[str]) -> int:
    """Say which cells differ, as Markdown on stdout; status 6 when a rule of ``fail_on`` is broken."""
    from fmbench.report.compare import compare_runs

    return compare_runs(open_run(address_a), open_run(address_b), fail_on)
