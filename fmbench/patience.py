"""A call that may never come back is given up after a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")

CREDENTIALS_S = 50.0
"""How long providers of credentials are waited for: less than the minute in which a load process has to answer."""


def within(seconds: float, act: Callable[[], T], what: str) -> T:
    """What ``act`` gives or raises. Raises ``TimeoutError`` with ``what`` after so many seconds; ``act`` is left to a thread that
    ends with the process."""
    answer = _begun(act)
    try:
        return answer.result(seconds)
    except TimeoutError as error:
        if answer.done():
            raise
        raise TimeoutError(what) from error


STILL_S = 180.0
"""How long an exchange with a store may take whose other side gives next to nothing."""
BYTES_A_SECOND = 64 * 1024
"""What has to come for each further second."""


class Moving:
    """How long an exchange may still take: ``STILL_S``, which what comes fills up again. It is called with each piece's size.

    A server that drips a byte now and then is given up as soon as one that is silent.
    """

    def __init__(self) -> None:
        self._most = STILL_S
        self._until = time.monotonic() + self._most
        self._given_up = False

    def __call__(self, size: int) -> None:
        if self._given_up:  # nobody waits any more: the thread ends
            raise TimeoutError
        self._until = min(time.monotonic() + self._most, self._until + max(size, 0) / BYTES_A_SECOND)

    def left_s(self) -> float:
        """Seconds until the exchange is given up, should nothing come."""
        return self._until - time.monotonic()

    def give_up(self) -> None:
        """From now on a piece that comes is an error."""
        self._given_up = True


def while_it_moves(act: Callable[[Moving], T], what: str) -> T:
    """What ``act`` gives or raises, which calls what it is given with the size of each piece that came or went. Raises
    ``TimeoutError`` with ``what`` when too little does."""
    moving = Moving()
    answer = _begun(lambda: act(moving))
    while (left := moving.left_s()) > 0:
        try:
            return answer.result(left)
        except TimeoutError:
            if answer.done():
                raise
    moving.give_up()
    raise TimeoutError(what)


def _begun(act: Callable[[], T]) -> Future[T]:
    """The answer of ``act``, which runs in a thread that nobody has to wait for."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(act())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=run, name=threading.current_thread().name, daemon=True).start()
    return answer


def given(provide: Callable[[], T]) -> T:
    """What providers of credentials give. Raises what they raise, and ``TimeoutError`` for one that hangs."""
    what = (
        f"none came within {CREDENTIALS_S:.0f} s: what gives them (a credential_process, say) hangs; start it by hand to see why"
    )
    return within(CREDENTIALS_S, provide, what)
