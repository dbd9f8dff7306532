"""SIGTERM as an exception, so that what a run has begun is put in order before the process ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class Terminated(BaseException):
    """SIGTERM arrived."""


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


@contextmanager
def terminating() -> Iterator[None]:
    """Within it SIGTERM raises ``Terminated``, as SIGINT raises ``KeyboardInterrupt``."""
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
