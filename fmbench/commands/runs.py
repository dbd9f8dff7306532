"""``fmbench-load runs [WHERE]``."""

from __future__ import annotations

import argparse

from fmbench.arguments import WHERE_HELP
from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("where", nargs="?", default="results", metavar="WHERE", help=f"{WHERE_HELP} (default results)")
    parser.add_argument("--json", action="store_true", help="a JSON object a run and line, instead of a table")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.history import list_runs

    return list_runs(parsed.where, parsed.json)


COMMAND = Command(
    name="runs",
    help="The runs below a folder or a prefix: date, answer, validity, cost",
    usage="[WHERE] [--json]",
    group=Group.RUNS,
    add=_add,
    run=_run,
)
