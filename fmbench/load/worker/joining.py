"""How a load process comes to a run: the folder that it works in, and the way to the store when that is its own.

A process on a host that does not see the run folder fetches what was prepared, and stores what it wrote in parts. Nothing of a
request passes through the master.
"""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from fmbench.config.addresses import STORE_EXAMPLES
from fmbench.core.failures import Refused
from fmbench.core.names import below
from fmbench.load.outbox import Outbox, outbox_to
from fmbench.load.protocol import Hello
from fmbench.storage.left_over import SCRATCH, remember
from fmbench.storage.share import fetch_prepared
from fmbench.storage.store import store_for


def settle_in(hello: Hello) -> tuple[Path, Outbox | None]:
    """The folder to work in, and the way to the store when it is this process's own.

    A process that was forked on the master's machine works in the run folder. Raises ``Refused`` with the cure when there is no
    way to share the run.
    """
    if "FMBENCH_RUN" in os.environ:
        return Path(hello.folder), None
    _check_reach(hello)
    if hello.store is not None:
        folder = below(_scratch(), hello.run_id)
        fetch_prepared(store_for(hello.store.address, hello.store.region), hello.store.sha256, folder)
        remember(folder, hello.store.address, hello.store.region)
        return folder, outbox_to(hello.store, folder)
    if not (Path(hello.folder) / "plan.json").exists():
        cure = f"give the master --output {STORE_EXAMPLES}, or an --output on a disk that every host mounts at the same place"
        raise Refused(f"{hello.folder}: the run folder of the master on {hello.host} is not on this host; {cure}.")
    return Path(hello.folder), None


def _scratch() -> Path:
    given = os.environ.get("FMBENCH_SCRATCH")
    return Path(given) if given else Path(tempfile.mkdtemp(prefix=SCRATCH))


def _check_reach(hello: Hello) -> None:
    url, here = hello.endpoint and hello.endpoint.url, socket.gethostname()
    if url and urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1") and hello.host != here:
        cure = "start `fmbench-load simulate --host 0.0.0.0` where all can reach it, take simulator: out of the file, and set"
        variable = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME for the master and the workers"
        raise Refused(f"the simulator on {hello.host} cannot be reached from {here}; {cure} {variable}.")
