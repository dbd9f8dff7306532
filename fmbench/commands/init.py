"""``fmbench-load init``."""

from __future__ import annotations

import argparse

from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("file", nargs="?", default="cfg.yml", metavar="FILE", help="what to write (default cfg.yml)")
    parser.add_argument("--from", dest="source", metavar="NAME", help="begin from a shipped configuration (fmbench-load configs)")
    parser.add_argument("--model", action="append", default=[], metavar="ID", help="a model's id, or a word of it; repeatable")
    parser.add_argument("--region", default="us-east-1", metavar="REGION", help="AWS's region (default us-east-1)")
    parser.add_argument("--simulate", action="store_true", help="against the simulator: no AWS, no cost")


def _check(parser: Parser, parsed: argparse.Namespace) -> None:
    if parsed.source is not None and (parsed.model or parsed.simulate):
        parser.error("--from takes a configuration as it is: leave --model and --simulate out")


def _run(parsed: argparse.Namespace) -> int:
    import sys
    from pathlib import Path

    from fmbench.core.failures import UnusableInput
    from fmbench.run.draft import Draft, init, model_ids, on_terminal

    try:
        models = model_ids(parsed.model)
    except ValueError as error:
        raise UnusableInput(f"--model: {error}.") from None
    draft = Draft(models=models, region=parsed.region, simulate=parsed.simulate)
    return init(Path(parsed.file), parsed.source, draft, on_terminal if sys.stdin.isatty() else None)


COMMAND = Command(
    name="init",
    help="Write a first configuration: it asks, or takes --model or --from",
    usage="[FILE] [--from NAME] [--model ID …] [--simulate]",
    group=Group.BEGIN,
    add=_add,
    run=_run,
    check=_check,
)
