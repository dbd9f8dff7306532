"""``fmbench-load compare RUN_A RUN_B``, and ``compare A1 A2 -- B1 B2`` over populations of runs."""

from __future__ import annotations

import argparse

from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.double_dash = "--against"
    parser.add_argument(
        "runs", metavar="RUN", nargs="+", help="the run to compare with and the run to judge; or several -- several"
    )
    parser.add_argument("--against", metavar="RUN", nargs="+", default=[], help="the runs to judge, as after --")
    fail_on = 'end with status 6 when B is shown to be worse by more, such as "ttft_p95 +10%%"; repeatable'
    parser.add_argument("--fail-on", action="append", default=[], metavar="RULE", help=fail_on)
    undecided = "what a rule is that is neither shown to be broken nor to be kept (pass)"
    parser.add_argument("--undecided", choices=("fail", "pass"), default="pass", help=undecided)
    smallest = "the smallest change that matters, in %% (1): below it nothing is better or worse"
    parser.add_argument("--smallest", type=float, default=None, metavar="PERCENT", help=smallest)
    parser.add_argument("--json", action="store_true", help="JSON instead of Markdown")


def _check(parser: Parser, parsed: argparse.Namespace) -> None:
    if not parsed.against and len(parsed.runs) != 2:
        parser.error(f"compare takes RUN_A and RUN_B, or two lists of runs with -- between; there are {len(parsed.runs)}")
    if parsed.smallest is not None and not 0 <= parsed.smallest < 100:
        parser.error(f"--smallest {parsed.smallest:g}: a share in %, from 0 to 100")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.stored import compare

    sides = (parsed.runs, parsed.against) if parsed.against else (parsed.runs[:1], parsed.runs[1:])
    smallest = None if parsed.smallest is None else parsed.smallest / 100
    return compare(*sides, parsed.fail_on, parsed.json, undecided_fails=parsed.undecided == "fail", smallest=smallest)


COMMAND = Command(
    name="compare",
    help="Which cells of two runs differ, by how much, how surely",
    usage="RUN_A RUN_B | A1 A2 -- B1 B2 [--fail-on RULE] [--undecided fail|pass] [--smallest PERCENT] [--json]",
    group=Group.RUNS,
    add=_add,
    run=_run,
    check=_check,
)
