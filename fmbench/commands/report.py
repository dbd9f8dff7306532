"""``fmbench-load report RUN``."""

from __future__ import annotations

import argparse

from fmbench.arguments import RUN_HELP
from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.stored import report

    return report(parsed.run)


COMMAND = Command(
    name="report",
    help="The report of a stored run again, from its records alone",
    usage="RUN",
    group=Group.RUNS,
    add=_add,
    run=_run,
)
