"""``fmbench-load prepare``: for plain Locust, which has a run folder prepared."""

from __future__ import annotations

import argparse

from fmbench.arguments import add_config, take_config
from fmbench.command import Command, Group, Parser


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.options import Options

    options = Options.from_arguments(parsed)
    loaded = options.load()
    from fmbench.run.study import prepare_only  # heavy: not before the configuration is found to be usable

    return prepare_only(options, loaded)


def _add(parser: Parser) -> None:
    add_config(parser)


COMMAND = Command(
    name="prepare",
    help="Prepare a run folder for plain Locust: prompts and plan, no load",
    usage="CFG.yml [--set a.b=VALUE] [--output WHERE]",
    group=Group.HIDDEN,
    add=_add,
    run=_run,
    check=take_config,
)
