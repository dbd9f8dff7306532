"""``fmbench-load help [COMMAND]``."""

from __future__ import annotations

import argparse

from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("command", nargs="?", metavar="COMMAND", help="a command; left out: all of them")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.commands import help_of

    print(help_of(parsed.command), end="")
    return 0


COMMAND = Command(
    name="help",
    help="All commands, or what one of them takes",
    usage="[COMMAND]",
    group=Group.BEGIN,
    add=_add,
    run=_run,
)
