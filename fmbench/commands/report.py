"""``fmbench-load report RUN``."""

from __future__ import annotations

import argparse

from fmbench.arguments import RUN_HELP
from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    what = "what if: judge by another objective, and leave the run as it is; repeatable"
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="objectives.KEY=VALUE", help=what)
    where = "store the run with its report below this folder or address, too; with --set: where that report goes (what-if-RUN_ID)"
    parser.add_argument("--output", metavar="WHERE", help=where)


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.report.drawing import Drawing

    with Drawing() as drawing:  # what draws is loaded beside what makes the figures
        from fmbench.run.stored import report, report_what_if

        if parsed.overrides:
            return report_what_if(parsed.run, parsed.overrides, parsed.output, drawing)
        return report(parsed.run, parsed.output, drawing)


COMMAND = Command(
    name="report",
    help="The report of a stored run again, from its records alone",
    usage="RUN [--set objectives.KEY=VALUE] [--output WHERE]",
    group=Group.RUNS,
    add=_add,
    run=_run,
)
