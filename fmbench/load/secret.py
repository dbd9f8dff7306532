"""The secret that the load processes of one run share (``FMBENCH_SECRET``, or a file named by ``FMBENCH_SECRET_FILE``)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from fmbench.core.failures import UnusableInput

SHORTEST_SECRET = 16


def secret() -> str | None:
    """The secret of this run; None: there is none. Raises ``UnusableInput`` when it cannot be read, or is too short."""
    given, file = os.environ.get("FMBENCH_SECRET"), os.environ.get("FMBENCH_SECRET_FILE")
    if given is None and file:
        try:
            given = Path(file).read_text().strip()
        except (OSError, ValueError) as error:
            raise UnusableInput(f"FMBENCH_SECRET_FILE={file}: cannot be read ({error}).") from None
    if not given:
        return None
    if len(given) < SHORTEST_SECRET:
        raise UnusableInput(f"FMBENCH_SECRET: is too short; give at least {SHORTEST_SECRET} characters (openssl rand -hex 32).")
    return given


def new_secret() -> str:
    """A secret for a run whose processes all are on this machine."""
    return secrets.token_hex(32)
