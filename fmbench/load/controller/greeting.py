"""What the master tells a load process that joins: which run this is, and where it is."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from fmbench.load.protocol import Address, Hello, SharedStore
from fmbench.storage.share import prepared_digests


def greeting(run_id: str, folder: Path, region: str | None, endpoint: Address | None) -> Hello:
    """The first message. ``FMBENCH_STORE`` is the run's address for hosts that do not see ``folder``, if it has one."""
    address = os.environ.get("FMBENCH_STORE")
    store = SharedStore(address=address, region=region, sha256=prepared_digests(folder)) if address else None
    return Hello(run_id=run_id, folder=str(folder.resolve()), host=socket.gethostname(), endpoint=endpoint, store=store)
