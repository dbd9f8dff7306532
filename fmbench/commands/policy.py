"""``fmbench-load policy --config CFG.yml``."""

from __future__ import annotations

import argparse

from fmbench.arguments import add_config, take_config
from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    add_config(parser)
    parser.add_argument("--account", metavar="ID", help="narrow the account's own resources to this account")
    parser.add_argument("--live-prices", action="store_true", help="with the permission that --live-prices needs")


def _check(parser: Parser, parsed: argparse.Namespace) -> None:
    take_config(parser, parsed, needed=True)


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.check import print_policy
    from fmbench.run.options import Options

    return print_policy(Options.from_arguments(parsed), parsed.account, parsed.live_prices)


COMMAND = Command(
    name="policy",
    help="The IAM policy that a configuration needs, no more",
    usage="CFG.yml [--account ID] [--live-prices]",
    group=Group.BEGIN,
    add=_add,
    run=_run,
    check=_check,
)
