"""One run inside Locust's life: begins with the test, answers signals and the web UI's Stop, and ends the process when done."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event
from locust.runners import MasterRunner

from fmbench.core.failures import ExitCode, FmbenchError
from fmbench.core.neutral import visible
from fmbench.load.controller.closing import History, finish
from fmbench.load.controller.locust_master import hold_on_without_workers
from fmbench.load.controller.study import Controller
from fmbench.load.deadlines import GRACE_S, SLACK_S
from fmbench.load.events import STAYS, EventPipe, PageStays, Waiting
from fmbench.load.leaving import CLOSED, OVER, mark
from fmbench.load.protocol import Address
from fmbench.load.web import Study, StudyUI

if TYPE_CHECKING:
    from fmbench.simulator.process import RunningSimulator

log = logging.getLogger(__name__)

SIGNALS = {signal.SIGINT: ("sigint", ExitCode.INTERRUPTED), signal.SIGTERM: ("sigterm", ExitCode.TERMINATED)}


class RunLifecycle:
    """On the master, or on the only process. Made in Locust's ``init`` event, after any fork."""

    def __init__(self, environment: Any, folder: Path) -> None:
        self.environment = environment
        self.folder = folder
        self.simulator: RunningSimulator | None = None
        self.controller = Controller(environment, folder)
        self._greenlet: gevent.Greenlet[[], None] | None = None
        self._over = Event()
        self._quitting = False
        self._signalled_before = False
        self._stays = False
        """Whether only the web UI's page is left."""
        hold_on_without_workers(environment.runner, self._is_wanted)
        environment.events.test_start.add_listener(self._begin)
        environment.events.test_stopping.add_listener(self._stopped_by_hand)
        environment.events.quitting.add_listener(self._quit)
        if getattr(environment, "web_ui", None) is not None:
            StudyUI(environment, self._study())
        self._waiting = gevent.spawn(self._tell_who_is_there)
        for number in SIGNALS:
            gevent.signal_handler(number, self._signalled, number)

    def _study(self) -> Study:
        """What the web UI may know and do."""
        return Study(
            folder=self.folder,
            config=self.controller.config,
            progress=self.controller.progress,
            begun=lambda: self._greenlet is not None,
            over=self._over.is_set,
            close=self._close_page,
        )

    def _tell_who_is_there(self) -> None:
        """A master says how many workers have joined until its test begins, each time that the number changes."""
        options, runner, pipe, told = self.environment.parsed_options, self.environment.runner, EventPipe.given(), -1
        while pipe is not None and isinstance(runner, MasterRunner) and not options.processes and self._greenlet is None:
            present = runner.worker_count
            if present != told:
                pipe.send(Waiting(present=present, expected=options.expect_workers))
                told = present
            gevent.sleep(0.2)

    def _is_wanted(self) -> bool:
        """Whether the run goes on although nobody carries it for the moment."""
        return self._greenlet is not None and not self._over.is_set() and not self.controller.stopping

    def _begin(self, **_: Any) -> None:
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._run)
        else:
            log.error("this run is over; start Locust again for a new one")

    def _run(self) -> None:
        try:
            self._wait_for_locust()
            history = History(self.environment, self.folder / "locust")
            ended, message = self.controller.run(self._endpoint())
            history.close()
            finish(self.environment, self.controller.crew, self.folder, ended, message)
            self.environment.process_exit_code = 0
            self._stays = STAYS in os.environ and not self._signalled_before and not self._quitting
        except FmbenchError as error:
            self.environment.process_exit_code = int(error.exit_code)
            print(f"fmbench-load: {visible(str(error))}", file=sys.stderr, flush=True)
        except Exception:
            self.environment.process_exit_code = int(ExitCode.FAULT)
            log.exception("a fault of the program")
        finally:
            if self.simulator is not None:
                self.simulator.stop()
            self._over.set()
            mark(OVER)
            self._end_process()

    def _wait_for_locust(self) -> None:
        """Locust's own start, which began this test, has to be over before users are moved."""
        runner = self.environment.runner
        while runner.state != "running":
            gevent.sleep(0.01)

    def _endpoint(self) -> Address | None:
        """The endpoint of the plan; under plain Locust the embedded one is started here."""
        config, planned = self.controller.config, self.controller.plan.endpoint
        if planned is not None:
            return Address(url=planned["url"], ca_bundle=planned["ca_bundle"])
        if config.simulator is None:
            return None
        from fmbench.simulator.process import start

        self.simulator = start(config.simulator)
        return Address(url=self.simulator.url, ca_bundle=self.simulator.ca_bundle)

    def _end_process(self) -> None:
        """Leave, unless Locust is leaving already or its web UI is to stay open."""
        options, runner = self.environment.parsed_options, self.environment.runner
        if self._quitting:
            return
        if self._stays:
            runner.quit()
            if (pipe := EventPipe.given()) is not None:
                pipe.send(PageStays())
        elif options.headless or options.autostart:
            runner.quit()
            self._close_page()
        else:
            runner.stop()

    def _close_page(self) -> None:
        mark(CLOSED)
        if self.environment.web_ui is not None:
            self.environment.web_ui.stop()

    def _signalled(self, number: signal.Signals) -> None:
        word, status = SIGNALS[number]
        self._signalled_before = True
        if self._stays and self._over.is_set():
            self._close_page()
        elif self._greenlet is not None:
            self.controller.stop(word, f"interrupted by {number.name}")
        else:
            sys.exit(int(status))

    def _stopped_by_hand(self, **_: Any) -> None:
        """The web UI's Stop: the run ends in good order before Locust takes the users away."""
        if self._greenlet is not None and not self._over.is_set():
            if not self.controller.stopping:
                self.controller.stop("sigint", "stopped by hand")
            self._over.wait(GRACE_S + SLACK_S)

    def _quit(self, **_: Any) -> None:
        """Locust is leaving (its own handler of SIGTERM): it waits here until the run has ended in good order."""
        self._quitting = True
        if self._greenlet is not None and not self._over.is_set():
            if not self.controller.stopping:
                self.controller.stop("sigterm", "Locust was asked to quit")
            self._over.wait(GRACE_S + SLACK_S)


def watch_parent() -> None:
    """End in good order when the program that started this process (``FMBENCH_PARENT``) is gone; forks watch their master."""
    parent = os.getppid()
    if os.environ.get("FMBENCH_PARENT") != str(parent):
        return

    def watch() -> None:
        while os.getppid() == parent:
            gevent.sleep(1)
        log.error("the program that started this one is gone: ending")
        os.kill(os.getpid(), signal.SIGTERM)

    gevent.spawn(watch)
