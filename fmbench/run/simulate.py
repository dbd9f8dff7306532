"""``fmbench-load simulate``: the simulator on its own, until it is interrupted."""

from __future__ import annotations

import json

from fmbench.config.load import load_config
from fmbench.core.failures import ExitCode
from fmbench.run.say import say
from fmbench.run.signals import Terminated, terminating
from fmbench.simulator import RunningSimulator, start
from fmbench.simulator.behaviour import Simulator


def simulate(host: str, port: int, config: str | None) -> int:
    """Serve until SIGINT or SIGTERM. One JSON line on stdout says ``url`` and ``ca_bundle`` once it listens.

    ``config``: a configuration file whose ``simulator:`` section says how it behaves. Raises ``Refused`` when it cannot listen.
    """
    simulator = (load_config(config).config.simulator if config else None) or Simulator()
    try:
        with terminating(), start(simulator, host, port) as server:
            return _serve(server)
    except Terminated:
        return ExitCode.TERMINATED


def _serve(server: RunningSimulator) -> int:
    print(json.dumps({"url": server.url, "ca_bundle": server.ca_bundle}), flush=True)
    bundle = f", and AWS_CA_BUNDLE={server.ca_bundle}" if server.ca_bundle else ""
    say(f"The simulator listens. To use it, set AWS_ENDPOINT_URL_BEDROCK_RUNTIME={server.url}{bundle}. Ctrl-C ends it.")
    say(f"It ended by itself (exit status {server.wait()}).")
    return ExitCode.FAULT
