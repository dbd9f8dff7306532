"""``fmbench-load models [WORD]``."""

from __future__ import annotations

import argparse

from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("word", nargs="?", default="", metavar="WORD", help="only ids with this in them")
    of_region = "where the prices hold (default us-east-1); with --live which to ask (default AWS's own)"
    parser.add_argument("--region", metavar="REGION", help=of_region)
    parser.add_argument("--live", action="store_true", help="ask AWS what this account can call there; free of charge")
    parser.add_argument("--markdown", action="store_true", help="the whole page of docs/models.md")
    parser.add_argument("--all", action="store_true", help="also those that the price list alone knows")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.lists import list_models
    from fmbench.run.models_page import page

    if parsed.markdown:
        print(page(), end="")
        return 0

    if parsed.live:
        from fmbench.run.live_models import list_live_models

        return list_live_models(parsed.word, parsed.region)
    return list_models(parsed.word, parsed.region or "us-east-1", parsed.all)


COMMAND = Command(
    name="models",
    help="Model ids to begin with, and their prices",
    usage="[WORD] [--region REGION] [--live] [--all] [--markdown]",
    group=Group.BEGIN,
    add=_add,
    run=_run,
)
