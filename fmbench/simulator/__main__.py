"""``python -m fmbench.simulator``: the simulator as a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import sys

from fmbench.config.load import load_config
from fmbench.core.failures import FmbenchError, UnusableInput
from fmbench.short_turns import take_short_turns
from fmbench.simulator.behaviour import Simulator
from fmbench.simulator.server import Address, run

_DESCRIPTION = "The simulator. Ends with SIGINT or SIGTERM, and when its stdin closes where that is a pipe."
_CONFIG_HELP = "a configuration file, or JSON as under simulator:, or - for such JSON on one line of stdin"


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; the exit status is the project's."""
    options = _parser().parse_args(arguments)
    try:
        config = _read(options.config)
        take_short_turns()
        run(options.host, options.port, config, _announce)
    except FmbenchError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fmbench.simulator",
        description=_DESCRIPTION,
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: this machine only)")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument(
        "--config",
        default="{}",
        help=_CONFIG_HELP,
    )
    return parser


def _announce(address: Address) -> None:
    try:
        print(json.dumps({"url": address.url, "ca_bundle": address.ca_bundle}), flush=True)
    except BrokenPipeError:  # who started it is gone
        os._exit(1)


def _read(given: str) -> Simulator:
    """The configuration: a configuration file's ``simulator:`` section, or JSON of such a section, here or on stdin."""
    if given == "-":
        given = _line_of_stdin()
    if not given.lstrip().startswith("{"):
        return load_config(given).config.simulator or Simulator()
    try:
        return Simulator.model_validate_json(given)
    except ValueError as error:
        raise UnusableInput(f"--config: is no configuration of the endpoint: {error}") from error


def _line_of_stdin() -> str:
    """One line, and not a byte more: what follows is watched for its end."""
    line = bytearray()
    while (byte := os.read(0, 1)) and byte != b"\n":
        line += byte
    return line.decode()


if __name__ == "__main__":
    sys.exit(main())
