"""A load process on its own: it needs the few packages of a worker, none of those that prepare and report."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from threading import Thread

from fmbench.core.failures import ExitCode
from fmbench.load.launch import join
from fmbench.run.options import Options
from fmbench.run.say import say
from fmbench.run.signals import Terminated, terminating
from fmbench.storage.left_over import SCRATCH, journals_below, journals_of_others, send

MASTER_PORT = 5557
"""Locust's own, which masters listen on when nothing else is said."""


def join_master(options: Options) -> int:
    """Carry users for a master elsewhere, until it says that the run is over."""
    host, port = options.master_host or "127.0.0.1", options.master_port or MASTER_PORT
    say(f"Looking for the master at {host}:{port}, for up to five minutes.")
    Thread(target=_send, args=(journals_of_others(),), daemon=True).start()  # their stores may be slow, or gone
    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH))
    try:
        with terminating():
            return join(host, port, scratch, options.processes)
    except Terminated:
        return ExitCode.TERMINATED
    finally:
        _leave_nothing(scratch)


def _leave_nothing(scratch: Path) -> None:
    """A worker's files are where they belong, and its folder goes; those that could not be stored are shown."""
    _send(journals_below(scratch))
    if not any(scratch.glob("*/*/journal/*.jsonl")):
        shutil.rmtree(scratch, ignore_errors=True)


def _send(journals: list[Path]) -> None:
    """Bring what killed load processes left here to the store of their run, and say so."""
    cure = "copy it to the run's folder journal/ in the store, then have `fmbench-load report` make the report again"
    for path, why_not in send(journals):
        if why_not:
            say(f"{path} could not be stored ({why_not}): {cure}.")
        else:
            say(f"{path.name}, which a load process of the run {path.parents[1].name} left here, is stored now.")
