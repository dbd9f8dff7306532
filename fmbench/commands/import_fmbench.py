"""``fmbench-load import-fmbench FILE``."""

from __future__ import annotations

import argparse

from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="a configuration of FMBench for Bedrock, here or in a store")
    parser.add_argument("--to", metavar="NEW.yml", help="write it there; left out: it goes to stdout")
    parser.add_argument("--data", metavar="PATH", help="where the prompts' data is: becomes dataset.path")
    parser.add_argument("--pricing", metavar="FILE", help="FMBench's pricing.yml (default: the one beside FILE, or above it)")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.import_fmbench import import_fmbench

    return import_fmbench(parsed.file, parsed.pricing, parsed.data, parsed.to)


COMMAND = Command(
    name="import-fmbench",
    help="A configuration of FMBench as one of this program, line by line",
    usage="FILE [--to NEW.yml] [--data PATH] [--pricing FILE]",
    group=Group.BEGIN,
    add=_add,
    run=_run,
)
