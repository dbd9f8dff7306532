"""``fmbench-load configs [NAME]``."""

from __future__ import annotations

import argparse

from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="print this one; left out: the list")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.config.shipped import shipped, shipped_as

    if parsed.name is not None:
        print(shipped_as(parsed.name).text, end="")
        return 0
    rows = [(each.name, f"{len(each.models)} models", each.about) for each in shipped()]
    from fmbench.run.lists import print_table

    print_table(("name", "models", "what it is"), rows)
    return 0


COMMAND = Command(
    name="configs",
    help="The configurations that are shipped, or the text of one",
    usage="[NAME]",
    group=Group.BEGIN,
    add=_add,
    run=_run,
)
