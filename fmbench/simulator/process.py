"""Starting the endpoint from another program, so that it never outlives it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from fmbench.core.failures import Refused

if TYPE_CHECKING:
    from fmbench.simulator.behaviour import Simulator

_STOP_S = 5.0


class RunningSimulator:
    """An endpoint in a process of its own. Also a context manager that stops it."""

    def __init__(self, process: subprocess.Popen[str], url: str, ca_bundle: str | None) -> None:
        self.url = url
        self.ca_bundle = ca_bundle
        """The file to verify ``url`` with, when it speaks TLS."""
        self._process = process

    @property
    def pid(self) -> int:
        """The endpoint's process id."""
        return self._process.pid

    def wait(self) -> int:
        """Wait until it ends by itself, and return its exit status."""
        return self._process.wait()

    def stop(self) -> None:
        """End it; nothing happens when it has ended already."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def start(config: Simulator, host: str = "127.0.0.1", port: int = 0) -> RunningSimulator:
    """Spawn an endpoint that behaves as ``config`` says and return when it listens.

    It ends with ``stop``, and with this process however that ends. Raises ``Refused`` when it does not come up.
    """
    command = [sys.executable, "-m", "fmbench.simulator", "--host", host, "--port", str(port), "--config", "-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(config.model_dump_json(exclude_unset=True) + "\n")
        process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        process.communicate()
        raise Refused(f"the simulator did not start (exit {process.returncode}); its message stands above")
    where = json.loads(line)
    return RunningSimulator(process, where["url"], where["ca_bundle"])
