"""Locust's master, kept from moving users or ending the run by itself: both are the controller's to decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from locust.dispatch import UsersDispatcher
from locust.runners import STATE_STOPPING, MasterRunner


class LateComersWait(UsersDispatcher):
    """Locust's dispatcher, but a worker that joins is given no users in the middle of a cell: ``Crew.freeze`` makes a new one."""

    shaken = False
    """Whether a worker that has users was lost, be it for a moment: Locust has moved users since."""

    def add_worker(self, worker_node: Any) -> None:
        """Not now."""

    def remove_worker(self, worker_node: Any) -> None:
        """Locust moves the worker's users to the others; where they are is known no more."""
        if any(node.id == worker_node.id for node in self._worker_nodes):
            self.shaken = True
            super().remove_worker(worker_node)


def hold_on_without_workers(runner: Any, wanted: Callable[[], bool]) -> None:
    """While the run is ``wanted``, the loss of the last worker does not end Locust's test: another may come."""
    if not isinstance(runner, MasterRunner):
        return
    stop, check_stopped = runner.stop, runner.check_stopped

    def stop_unless_wanted(send_stop_to_client: bool = True) -> None:
        if runner.worker_count > 0 or not wanted():
            stop(send_stop_to_client)

    def check_unless_wanted() -> None:
        if runner.state == STATE_STOPPING or not wanted():
            check_stopped()

    runner.stop = stop_unless_wanted  # type: ignore[method-assign]
    runner.check_stopped = check_unless_wanted  # type: ignore[method-assign]
