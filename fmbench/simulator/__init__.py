"""The simulator: a Bedrock Runtime that behaves like a served model and keeps a ledger of what truly happened.

It runs in a process of its own: ``start`` spawns it, ``serve`` is that process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmbench.callable_package import calls
from fmbench.simulator.process import RunningSimulator, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from fmbench.simulator.behaviour import Simulator
    from fmbench.simulator.server import Address

__all__ = ["RunningSimulator", "serve", "start"]

calls(__name__, "fmbench.python", "simulator")


def serve(host: str, port: int, config: Simulator, announce: Callable[[Address], None]) -> None:
    """Be the endpoint until SIGINT or SIGTERM; ``announce(address)`` is called once it listens at ``address.url``.

    Raises ``Refused`` when ``host`` and ``port`` cannot be listened on.
    """
    from fmbench.simulator.server import run

    run(host, port, config, announce)
