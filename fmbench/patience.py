"""A call that may never come back is given up after a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

CREDENTIALS_S = 50.0
"""How long providers of credentials are waited for: less than the minute in which a load process has to answer."""


def within(seconds: float, act: Callable[[], T], what: str) -> T:
    """What ``act`` gives or raises. Raises ``TimeoutError`` with ``what`` after so many seconds; ``act`` is left to a thread that
    ends with the process."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(act())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=run, name=threading.current_thread().name, daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError as error:
        if answer.done():
            raise
        raise TimeoutError(what) from error


def given(provide: Callable[[], T]) -> T:
    """What providers of credentials give. Raises what they raise, and ``TimeoutError`` for one that hangs."""
    what = (
        f"none came within {CREDENTIALS_S:.0f} s: what gives them (a credential_process, say) hangs; start it by hand to see why"
    )
    return within(CREDENTIALS_S, provide, what)
