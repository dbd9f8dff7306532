"""``fmbench-load compare RUN_A RUN_B``."""

from __future__ import annotations

import argparse

from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("run_a", metavar="RUN_A", help="the run to compare with")
    parser.add_argument("run_b", metavar="RUN_B", help="the run to judge")
    fail_on = 'end with status 6 when RUN_B is worse by so much, such as "ttft_p95 +10%%"; repeatable'
    parser.add_argument("--fail-on", action="append", default=[], metavar="RULE", help=fail_on)
    parser.add_argument("--json", action="store_true", help="JSON instead of Markdown")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.stored import compare

    return compare(parsed.run_a, parsed.run_b, parsed.fail_on, parsed.json)


COMMAND = Command(
    name="compare",
    help="Which cells of two runs differ, by how much, how surely",
    usage="RUN_A RUN_B [--fail-on RULE] [--json]",
    group=Group.RUNS,
    add=_add,
    run=_run,
)
