"""``fmbench-load simulate``."""

from __future__ import annotations

import argparse

from fmbench.arguments import port
from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=port, default=8080, help="the port; 0: a free one (default 8080)")
    parser.add_argument("--config", metavar="FILE", help="a configuration (-: standard input) whose simulator: section is taken")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.simulate import simulate

    return simulate(parsed.host, parsed.port, parsed.config)


COMMAND = Command(
    name="simulate",
    help="The simulator on its own: an endpoint that answers as Bedrock does",
    usage="[--host H] [--port P] [--config CFG.yml]",
    group=Group.MACHINE,
    add=_add,
    run=_run,
)
