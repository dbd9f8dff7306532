"""``fmbench-load simulate``: the embedded endpoint on its own, until it is interrupted."""

from __future__ import annotations

import subprocess
import sys

from fmbench.config.load import load_config
from fmbench.config.simulator import Simulator
from fmbench.core.failures import ExitCode, Refused
from fmbench.run.say import say
from fmbench.run.signals import Terminated, terminating

CURE = "set AWS_ENDPOINT_URL_BEDROCK_RUNTIME to this url (and AWS_CA_BUNDLE to ca_bundle where there is one)"


def simulate(host: str, port: int, config: str | None) -> int:
    """Serve until SIGINT or SIGTERM. One JSON line on stdout says ``url`` and ``ca_bundle`` when it listens.

    ``config``: a configuration file whose ``simulator:`` section says how it behaves. Raises ``Refused`` when it cannot listen.
    """
    simulator = (load_config(config).config.simulator if config else None) or Simulator()
    command = [sys.executable, "-m", "fmbench.simulator", "--host", host, "--port", str(port), "--config"]
    with subprocess.Popen([*command, simulator.model_dump_json()], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            with terminating():
                return _serve(server, host, port)
        except Terminated:
            return ExitCode.TERMINATED
        finally:
            _stop(server)


def _serve(server: subprocess.Popen[bytes], host: str, port: int) -> int:
    line = server.stdout.readline() if server.stdout else b""
    if not line:
        raise Refused(f"the simulator cannot listen on {host}:{port}; choose another --port (0: a free one).")
    print(line.decode().strip(), flush=True)
    say(f"The embedded endpoint listens; to use it, {CURE}. Ctrl-C ends it.")
    server.wait()
    return ExitCode.FAULT


def _stop(server: subprocess.Popen[bytes]) -> None:
    """It ends when its stdin closes."""
    if server.stdin:
        server.stdin.close()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
