"""Credentials that end are renewed ahead of need: by one refresh at a time, and never while a request waits for its signature.

botocore renews whatever has less than 15 minutes left when the next request is signed, so that 5-minute credentials are fetched
again for every request. Here a thread of its own (a greenlet in a load process) renews them when a third of their life is left;
a request only waits where they have ended after all, and then for one try of one request, not for as many as there are users.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from datetime import UTC, datetime
from typing import Any, cast

from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError

from fmbench.core.neutral import PROVIDER_ERRORS
from fmbench.patience import given

log = logging.getLogger(__name__)

WHAT_PROVIDERS_RAISE = (BotoCoreError, *PROVIDER_ERRORS)
SHARE_LEFT = 1 / 3
LONGEST_AHEAD_S = 15 * 60
LOOK_S = 1.0
AGAIN_AFTER_S = 5.0
"""How long after a refresh that failed, or that brought nothing longer, the next one is tried."""

_longest_wait_s = 0.0
_keepers: dict[tuple[int, int], Keeper] = {}
_guard = threading.Lock()


def longest_wait_s() -> float:
    """The longest that a request of this process waited for its credentials since this was asked last."""
    global _longest_wait_s
    waited, _longest_wait_s = _longest_wait_s, 0.0
    return waited


def keep_fresh(credentials: Any) -> None:
    """Renew ``credentials`` from now on, once a process; does nothing for those that have no end."""
    if not isinstance(credentials, RefreshableCredentials):
        return
    with _guard:
        key = (os.getpid(), id(credentials))
        if key not in _keepers:
            _keepers[key] = Keeper(credentials)
            threading.Thread(target=_keepers[key].run, name="credentials", daemon=True).start()


class Keeper:
    """The one who renews some credentials. A test holds the private names used here against the installed botocore."""

    def __init__(self, credentials: RefreshableCredentials) -> None:
        self._credentials = cast(Any, credentials)
        self._lock = threading.Lock()
        self._failed: tuple[float, Exception] | None = None
        self._tried_at = -AGAIN_AFTER_S
        self._life_s = 0.0
        self._credentials._refresh = self.check
        logging.getLogger("botocore.credentials").setLevel(
            logging.ERROR
        )  # it tells every failure with a traceback; we say it once

    def run(self) -> None:
        """Renew for as long as the process lives."""
        while True:
            time.sleep(LOOK_S)
            if self._is_due() and self._lock.acquire(blocking=False):
                try:
                    self._try()
                except Exception as error:
                    log.warning("AWS credentials could not be renewed yet: %s", type(error).__name__)
                finally:
                    self._lock.release()

    def check(self) -> None:
        """What botocore calls before each signature: nothing while the credentials hold. Raises why they could not be had."""
        global _longest_wait_s
        if not self._is_over():
            return
        began = time.monotonic()
        try:
            with self._lock:
                self._renew()
        finally:
            _longest_wait_s = max(_longest_wait_s, time.monotonic() - began)

    def _renew(self) -> None:
        if not self._is_over():
            return
        if self._failed is not None and time.monotonic() - self._failed[0] < AGAIN_AFTER_S:
            raise self._failed[1]
        self._try()

    def _try(self) -> None:
        self._tried_at = time.monotonic()
        try:
            given(lambda: self._credentials._protected_refresh(is_mandatory=True))
            self._failed = None
        except Exception as error:
            self._failed = (time.monotonic(), error)
            raise
        self._life_s = self._left_s() or 0.0

    def _is_over(self) -> bool:
        left = self._left_s()
        return self._credentials._frozen_credentials is None or (left is not None and left <= 0)

    def _is_due(self) -> bool:
        left = self._left_s()
        if left is None or time.monotonic() - self._tried_at < AGAIN_AFTER_S:
            return False
        self._life_s = max(self._life_s, left)
        return left < min(LONGEST_AHEAD_S, self._life_s * SHARE_LEFT)

    def _left_s(self) -> float | None:
        end = self._credentials._expiry_time
        return None if end is None else float((end - datetime.now(UTC)).total_seconds())
