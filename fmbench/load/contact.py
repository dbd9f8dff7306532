"""What a load process knows of its master: whether it may still send."""

from __future__ import annotations

import time

from fmbench.load.deadlines import MASTER_LOST_S


class Contact:
    """What a load process knows of its master: when it sent the last heartbeat that was answered. None: it has no master."""

    asked_ns: int | None = None

    def is_lost(self) -> bool:
        """Whether the master may have gone on without this process, or be gone itself: nothing may be sent until it answers.

        A process that was stopped finds that out before its next request, whatever had come by then.
        """
        return self.asked_ns is not None and time.monotonic_ns() - self.asked_ns > MASTER_LOST_S * 1e9


CONTACT = Contact()
