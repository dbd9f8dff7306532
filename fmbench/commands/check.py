"""``fmbench-load check --config CFG.yml``."""

from __future__ import annotations

import argparse

from fmbench.arguments import add_config, take_config
from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="JSON instead of lines")
    parser.add_argument("--probe", action="store_true", help="send each model one request of a few tokens, too (it costs cents)")


def _check(parser: Parser, parsed: argparse.Namespace) -> None:
    take_config(parser, parsed, needed=True)


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.check import command
    from fmbench.run.options import Options

    return command(Options.from_arguments(parsed), parsed.json, parsed.probe)


COMMAND = Command(
    name="check",
    help="Whether a run could start: account, models, quotas, prices, output",
    usage="CFG.yml [--json] [--probe]",
    group=Group.BEGIN,
    add=_add,
    run=_run,
    check=_check,
)
