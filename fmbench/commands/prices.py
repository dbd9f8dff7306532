"""``fmbench-load prices [MODEL…]``."""

from __future__ import annotations

import argparse

from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("models", nargs="*", metavar="MODEL", help="ids; none: those of --config, else the whole list")
    parser.add_argument("--region", metavar="REGION", help="where requests are sent (default: of --config, else us-east-1)")
    parser.add_argument("--config", metavar="FILE", help="a configuration whose pricing: comes first")
    parser.add_argument("--live-prices", action="store_true", help="fetch AWS's price list, and ask it before the built-in one")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.prices import command

    return command(parsed.models, parsed.region, parsed.config, parsed.live_prices, parsed.json)


COMMAND = Command(
    name="prices",
    help="What tokens cost, by model, region, tier and kind, and who says so",
    usage="[MODEL…] [--region REGION] [--config FILE] [--live-prices] [--json]",
    group=Group.BEGIN,
    add=_add,
    run=_run,
)
