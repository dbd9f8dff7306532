"""``fmbench-load demo``."""

from __future__ import annotations

import argparse

from fmbench.arguments import WHERE_HELP
from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("--output", metavar="WHERE", help=f"{WHERE_HELP} (default results)")
    parser.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="a.b=VALUE", help="override a key; repeatable"
    )


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.config.shipped import shipped_as
    from fmbench.run.options import Options

    options = Options(config=str(shipped_as("quickstart").path), overrides=parsed.overrides, output=parsed.output, yes=True)
    loaded = options.load()
    from fmbench.run.study import run_study  # heavy: not before the configuration is found to be usable

    return run_study(options, loaded)


COMMAND = Command(
    name="demo",
    help="Two models on the simulator, in about a minute: no AWS, no cost",
    usage="[--output WHERE]",
    group=Group.BEGIN,
    add=_add,
    run=_run,
)
