"""``fmbench-load --config CFG.yml``: prompts, load, report. What is done when no command is named."""

from __future__ import annotations

import argparse

from fmbench import __version__
from fmbench.arguments import add_config, port, positive, processes, take_config
from fmbench.command import PROGRAM, Command, Group, Parser


def _elsewhere(word: str) -> str | None:
    """``--set load.concurrency=…`` for a key of the file, by whatever name; the option of that name where there is one."""
    from fmbench.config.keys import key_called

    key = key_called(word.replace("-", "_"))
    return None if key is None else f"--{key}" if key in ("output", "seed") else f"--set {key}=…"


def _add(parser: Parser) -> None:
    parser.elsewhere = _elsewhere
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    add_config(parser)
    parser.add_argument("--dry-run", action="store_true", help="print the plan: requests, tokens, time and cost; send nothing")
    parser.add_argument("--yes", action="store_true", help="no question before spending")
    parser.add_argument("--live-prices", action="store_true", help="fetch AWS's price list, and ask it before the built-in one")
    parser.add_argument("--resume", metavar="RUN_ID", help="go on with the cells that a cut run did not finish")
    parser.add_argument("--require", choices=("valid",), help="valid: end with status 7 when the run is done and not PASS")
    parser.add_argument("--quiet", action="store_true", help="say nothing but the run's address, and errors")
    parser.add_argument("--json", action="store_true", help="a line of JSON an event on stdout, for programs")
    many = parser.add_argument_group("many load processes and machines")
    many.add_argument("--processes", type=processes, default=None, metavar="N", help="load processes here; -1: one a core")
    many.add_argument("--master", action="store_true", help="hand the work to workers that join over the network")
    many.add_argument("--expect-workers", type=positive, metavar="N", help="with --master: start when so many have joined")
    many.add_argument("--worker", action="store_true", help="join a master; it needs no --config")
    where = "with --worker: where the master is (default 127.0.0.1); with --master: the address to listen on (default all)"
    many.add_argument("--master-host", metavar="HOST", help=where)
    many.add_argument("--master-port", type=port, metavar="PORT", help="the master's port (default 5557)")
    parser.add_argument("--web", action="store_true", help="with Locust's web UI")
    parser.add_argument("--web-port", type=port, metavar="PORT", help="with --web: its port (default 8089)")


def _check(parser: Parser, parsed: argparse.Namespace) -> None:
    """Options that cannot be together, each with its cure."""
    take_config(parser, parsed, needed=not parsed.worker)
    if parsed.master and parsed.worker:
        parser.error("--master and --worker cannot be together: start one process for each")
    if parsed.processes is not None and parsed.master:
        parser.error("--master carries no users of its own: give --processes to the workers")
    if parsed.expect_workers is not None and not parsed.master:
        parser.error("--expect-workers goes with --master")
    if not (parsed.master or parsed.worker):
        for option in ("master_host", "master_port"):
            if getattr(parsed, option) is not None:
                parser.error(f"--{option.replace('_', '-')} goes with --worker or --master")
    if parsed.web_port is not None and not parsed.web:
        parser.error("--web-port goes with --web")
    if parsed.web and parsed.worker:
        parser.error("--web belongs to the master, not to a --worker")
    if parsed.quiet and parsed.json:
        parser.error("--quiet and --json cannot be together: --json says nothing to people as it is")
    if parsed.dry_run and (parsed.resume or parsed.worker):
        parser.error("--dry-run goes with neither --resume nor --worker")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.run.options import Options

    options = Options.from_arguments(parsed)
    if options.worker:  # its configuration, and the data that it names, are the master's
        from fmbench.run.join import join_master

        return join_master(options)
    from fmbench.run.say import Voice, speak

    speak(Voice.QUIET if options.quiet else Voice.EVENTS if options.json else Voice.USUAL)
    loaded = options.load()
    from fmbench.run.study import run_study  # heavy: not before the configuration is found to be usable

    return run_study(options, loaded)


COMMAND = Command(
    name="run",
    help="The whole job: prompts, load, report (fmbench-load CFG.yml is the same)",
    usage="CFG.yml [options]",
    group=Group.RUN,
    add=_add,
    run=_run,
    check=_check,
)
