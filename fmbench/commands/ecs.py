"""``fmbench-load ecs run``."""

from __future__ import annotations

import argparse

from fmbench.arguments import positive
from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    what = "Start a master and N workers, follow them, fetch the report, leave nothing running. It asks no question."
    run = parser.add_subparsers(dest="action", required=True, metavar="run").add_parser("run", description=what)
    run.add_argument("--stack", required=True, metavar="STACK", help="the CloudFormation stack of ecs/template.yml")
    run.add_argument("--workers", required=True, type=positive, metavar="N", help="worker tasks, each with a vCPU")
    run.add_argument("--config", required=True, metavar="FILE", help="the YAML file, here or on S3")
    run.add_argument("--output", default="results", metavar="FOLDER", help="where the report is copied to (default results)")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.deploy.ecs import run

    return run(parsed.stack, parsed.workers, parsed.config, parsed.output)


COMMAND = Command(
    name="ecs",
    help="A study on ECS: tasks are started, followed and stopped",
    usage="run --stack STACK --workers N --config CFG.yml",
    group=Group.MACHINE,
    add=_add,
    run=_run,
)
