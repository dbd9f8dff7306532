"""A load process on its own: it needs the few packages of a worker, none of those that prepare and report."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from fmbench.core.failures import ExitCode
from fmbench.load.launch import join
from fmbench.run.options import Options
from fmbench.run.say import say
from fmbench.run.signals import Terminated, terminating

MASTER_PORT = 5557
"""Locust's own, which masters listen on when nothing else is said."""


def join_master(options: Options) -> int:
    """Carry users for a master elsewhere, until it says that the run is over."""
    host, port = options.master_host or "127.0.0.1", options.master_port or MASTER_PORT
    say(f"Looking for the master at {host}:{port}, for up to five minutes.")
    scratch = Path(tempfile.mkdtemp(prefix="fmbench-load-"))
    try:
        with terminating():
            return join(host, port, scratch, options.processes)
    except Terminated:
        return ExitCode.TERMINATED
    finally:
        _leave_nothing(scratch)


def _leave_nothing(scratch: Path) -> None:
    """A worker's files are where they belong, and its folder goes; those that could not be stored are shown."""
    left = sorted(scratch.glob("*/*/journal/*.jsonl"))
    if not left:
        shutil.rmtree(scratch, ignore_errors=True)
        return
    cure = "copy it to the run's folder journal/ in the store, then have `fmbench-load report` make the report again"
    for path in left:
        say(f"{path} could not be stored: {cure}.")
