"""``fmbench-load demo``."""

from __future__ import annotations

import argparse

from fmbench.arguments import WHERE_HELP
from fmbench.command import Command, Group, Parser
from fmbench.core.failures import ExitCode

NEXT = (
    "Next, models of your own on Amazon Bedrock: fmbench-load init asks for them and writes cfg.yml, fmbench-load check --config "
    "cfg.yml tries account, models and quotas by free calls, and fmbench-load cfg.yml measures; it asks before it spends."
)


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
    from fmbench.run.say import say
    from fmbench.run.study import run_study  # heavy: not before the configuration is found to be usable

    status = run_study(options, loaded)
    if status == ExitCode.DONE:
        say(NEXT)
    return status


COMMAND = Command(
    name="demo",
    help="Two models on the simulator, in about a minute: no AWS, no cost",
    usage="[--output WHERE]",
    group=Group.BEGIN,
    add=_add,
    run=_run,
)
