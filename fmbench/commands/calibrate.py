"""``fmbench-load calibrate``."""

from __future__ import annotations

import argparse

from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.calibrate import command

    return command(parsed.json)


COMMAND = Command(
    name="calibrate",
    help="How many users a load process of this machine carries",
    usage="[--json]",
    group=Group.MACHINE,
    add=_add,
    run=_run,
)
