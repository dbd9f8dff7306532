"""What Locust loads: the User class, and the listeners that turn a prepared run folder into a run.

``FMBENCH_RUN`` names the folder; without it ``--fmbench-config`` has one prepared. A worker needs neither: the master tells it.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from locust import events
from locust.runners import MasterRunner, WorkerRunner

from fmbench.core.failures import ExitCode, FmbenchError
from fmbench.load import transport
from fmbench.load.controller.lifecycle import RunLifecycle, watch_parent
from fmbench.load.controller.locust_master import LateComersWait
from fmbench.load.silence import say_alive
from fmbench.load.worker.lifecycle import Worker
from fmbench.load.worker.users import BedrockUser
from fmbench.storage.disk import said_of

__all__ = ["BedrockUser"]


transport.install()


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]
def add_options(parser: Any) -> None:
    """Locust's command line takes the configuration file too."""
    parser.add_argument(
        "--fmbench-config",
        metavar="FILE",
        default="",
        include_in_web_ui=False,
        help="FMBench Load's configuration (docs/configuration.md); FMBENCH_RUN=<prepared run folder> takes its place",
    )


@events.init.add_listener  # type: ignore[untyped-decorator]
def begin(environment: Any, runner: Any, **_: Any) -> None:
    """Give this process its part: users, or the controller, or both."""
    environment.dispatcher_class = LateComersWait
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Locust listens from now on (``__main__.py``)
    if "FMBENCH_PARENT" in os.environ:  # plain Locust keeps its table on the terminal; a run of ours has a report
        logging.getLogger("locust.stats_logger").disabled = True
    try:
        if not isinstance(runner, MasterRunner):
            environment.fmbench_worker = Worker(environment)
        if not isinstance(runner, WorkerRunner):
            environment.fmbench_run = RunLifecycle(environment, _run_folder(environment.parsed_options.fmbench_config))
    except FmbenchError as error:
        _leave(str(error), error.exit_code)
    except OSError as error:
        if (said := said_of(error)) is None:
            raise
        _leave(said, ExitCode.REFUSED)
    watch_parent()
    if not isinstance(runner, WorkerRunner) or "FMBENCH_RUN" not in os.environ:  # forks are their master's to miss
        say_alive()


def _run_folder(config: str) -> Path:
    """The prepared folder. Ends the process with one message when there is none."""
    if os.environ.get("FMBENCH_RUN"):
        return Path(os.environ["FMBENCH_RUN"])
    if not config:
        _leave("no configuration: add --fmbench-config cfg.yml (configs/quickstart.yml is one to try).", ExitCode.UNUSABLE)
    command = [sys.executable, "-m", "fmbench", "prepare", "--config", config]
    prepared = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if prepared.returncode:
        _leave(f"{config}: no run was prepared; the reason stands above.", prepared.returncode)
    return Path(prepared.stdout.splitlines()[-1])


def _leave(message: str, status: int) -> NoReturn:
    print(f"fmbench-load: {message}", file=sys.stderr, flush=True)
    raise SystemExit(int(status))
