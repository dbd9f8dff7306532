"""What ends a run, or a model's part in it, before its plan is done."""

from __future__ import annotations

from dataclasses import dataclass


class Stop(Exception):
    """The run ends here. ``ended`` is the word for load.json."""

    def __init__(self, ended: str, message: str) -> None:
        super().__init__(message)
        self.ended = ended


class LeftOut(Exception):
    """This cell, and others like it, are not worth a request."""


@dataclass(slots=True)
class StopRequest:
    """Whether somebody or something asked for the end of the run."""

    stop: Stop | None = None
    impatient: bool = False
    """Asked again: what is in flight is not waited for."""

    def ask(self, ended: str, message: str) -> None:
        """Ask for an orderly end; a second time, for a quick one."""
        if self.stop is not None:
            self.impatient = True
        else:
            self.stop = Stop(ended, message)

    @property
    def signalled(self) -> bool:
        """Whether a signal asked for it: requests in flight are not waited for as long as they may take."""
        return self.stop is not None and self.stop.ended in ("sigint", "sigterm")

    def heed(self) -> None:
        """Raise the ``Stop`` that was asked for, if any was."""
        if self.stop is not None:
            raise self.stop
