"""The command line. It parses, and loads what a command needs when it runs it; nothing heavy is imported for ``--help``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from fmbench import __version__
from fmbench.core.failures import ExitCode, FmbenchError

PROGRAM = "fmbench-load"
COMMANDS = ("report", "compare", "simulate", "calibrate", "ecs", "prepare")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status (docs/cli.md)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        parsed = _parse(given)
        return int(_dispatch(parsed))
    except FmbenchError as error:
        say(str(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        say("interrupted.")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        return int(ExitCode.FAULT)
    except Exception as error:
        return _fault(error)


def say(message: str) -> None:
    """A message for the user, on stderr."""
    print(f"{PROGRAM}: {message}", file=sys.stderr, flush=True)


def _fault(error: Exception) -> int:
    """A fault of the program: one line, and where the traceback is."""
    from fmbench.run.traceback_file import write_traceback

    say(f"a fault of the program: {type(error).__name__}: {error}. The traceback is in {write_traceback(error)}.")
    return int(ExitCode.FAULT)


def _dispatch(parsed: argparse.Namespace) -> int:
    if parsed.command == "report":
        from fmbench.run.stored import report

        return report(parsed.run)
    if parsed.command == "compare":
        from fmbench.run.stored import compare

        return compare(parsed.run_a, parsed.run_b, parsed.fail_on, parsed.json)
    if parsed.command == "simulate":
        from fmbench.run.simulate import simulate

        return simulate(parsed.host, parsed.port, parsed.config)
    if parsed.command == "calibrate":
        from fmbench.run.calibrate import command

        return command(parsed.json)
    if parsed.command == "ecs":
        from fmbench.deploy.ecs import run

        return run(parsed.stack, parsed.workers, parsed.config, parsed.output)
    from fmbench.run.options import Options

    options = Options.from_arguments(parsed)
    if options.worker:  # its configuration, and the data that it names, are the master's
        from fmbench.run.join import join_master

        return join_master(options)
    loaded = options.load()
    from fmbench.run.study import prepare_only, run_study  # heavy: not before the configuration is found to be usable

    return prepare_only(options, loaded) if parsed.command == "prepare" else run_study(options, loaded)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the cure, and ends with the documented status."""

    def error(self, message: str) -> NoReturn:
        say(f"{message}; {self.prog} --help lists what there is.")
        raise SystemExit(int(ExitCode.UNUSABLE))


def _parse(arguments: list[str]) -> argparse.Namespace:
    if arguments and arguments[0] in COMMANDS:
        return _command_parser(arguments[0]).parse_args(arguments[1:])
    parser = _run_parser()
    if arguments and not arguments[0].startswith("-"):
        parser.error(f'there is no command "{arguments[0]}"{_nearest(arguments[0])}')
    parsed = parser.parse_args(arguments)
    _check_together(parser, parsed)
    return parsed


def _nearest(word: str) -> str:
    import difflib

    close = difflib.get_close_matches(word, COMMANDS[:5], n=1)
    return f', did you mean "{close[0]}"?' if close else ""


_COMMANDS_HELP = """commands:
  report RUN              write the report of a stored run again, from its records alone
  compare RUN_A RUN_B     which cells differ, by how much, with what confidence
  simulate                the embedded Bedrock endpoint on its own
  calibrate               how many users a load process of this machine carries
  ecs run                 a study on ECS: tasks are started, followed and stopped

Each takes --help. RUN is a run folder: a path or an s3:// address.
Messages go to stderr; the last line on stdout is the run folder's address. Exit statuses: docs/cli.md.
"""


def _run_parser() -> _Parser:
    parser = _Parser(
        prog=PROGRAM,
        description="Choose a foundation model on Amazon Bedrock, and a number of users to put on it.",
        usage=f"{PROGRAM} --config FILE [options]\n       {PROGRAM} report|compare|simulate|calibrate|ecs …",
        epilog=_COMMANDS_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    _add_config(parser)
    parser.add_argument("--dry-run", action="store_true", help="print the plan: requests, tokens, time and cost; send nothing")
    parser.add_argument("--yes", action="store_true", help="no question before spending")
    parser.add_argument("--live-prices", action="store_true", help="fetch AWS's price list, and ask it before the built-in one")
    parser.add_argument("--resume", metavar="RUN_ID", help="go on with the cells that a cut run did not finish")
    many = parser.add_argument_group("many load processes and machines")
    many.add_argument("--processes", type=_processes, default=None, metavar="N", help="load processes here; -1: one a core")
    many.add_argument("--master", action="store_true", help="hand the work to workers that join over the network")
    many.add_argument("--expect-workers", type=_positive, metavar="N", help="with --master: start when so many have joined")
    many.add_argument("--worker", action="store_true", help="join a master")
    where = "with --worker: where the master is (default 127.0.0.1); with --master: the address to listen on (default all)"
    many.add_argument("--master-host", metavar="HOST", help=where)
    many.add_argument("--master-port", type=_port, metavar="PORT", help="the master's port (default 5557)")
    parser.add_argument("--web", action="store_true", help="with Locust's web UI")
    parser.add_argument("--web-port", type=_port, metavar="PORT", help="with --web: its port (default 8089)")
    parser.set_defaults(command="run")
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", required=True, metavar="FILE", help="the YAML file (docs/configuration.md)")
    parser.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="a.b=VALUE", help="override a key of the file; repeatable"
    )
    parser.add_argument("--output", metavar="WHERE", help="a folder, or s3://bucket/prefix")
    parser.add_argument("--seed", type=_seed, metavar="N", help="the seed of everything that is drawn")


def _command_parser(command: str) -> _Parser:
    parser = _Parser(prog=f"{PROGRAM} {command}", allow_abbrev=False)
    parser.set_defaults(command=command)
    if command == "report":
        parser.description = "Write the report of a stored run again, from its records alone, byte for byte."
        parser.add_argument("run", metavar="RUN", help="a run folder: a path or an s3:// address")
    elif command == "compare":
        parser.description = "Which cells of two runs differ, by how much, with what confidence."
        parser.add_argument("run_a", metavar="RUN_A", help="the run to compare with")
        parser.add_argument("run_b", metavar="RUN_B", help="the run to judge")
        fail_on = 'end with status 6 when RUN_B is worse by so much, such as "ttft_p95 +10%%"; repeatable'
        parser.add_argument("--fail-on", action="append", default=[], metavar="RULE", help=fail_on)
        parser.add_argument("--json", action="store_true", help="JSON instead of Markdown")
    elif command == "simulate":
        parser.description = "The embedded Bedrock endpoint on its own, until it is interrupted."
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=_port, default=8080, help="the port; 0: a free one (default 8080)")
        parser.add_argument("--config", metavar="FILE", help="a configuration whose simulator: section says how it behaves")
    elif command == "calibrate":
        parser.description = "How many users one load process of this machine carries at a stated error. No AWS."
        parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    elif command == "ecs":
        parser.description = "A study on the machines of ECS, from a stack of ecs/template.yml."
        _add_ecs_run(parser.add_subparsers(dest="action", required=True, metavar="run").add_parser("run", allow_abbrev=False))
    else:
        parser.description = "Prepare a run folder for plain Locust: prompts and plan, no load."
        _add_config(parser)
    return parser


def _add_ecs_run(parser: argparse.ArgumentParser) -> None:
    what = "Start a master and N workers, follow them, fetch the report, leave nothing running. It asks no question."
    parser.description = what
    parser.add_argument("--stack", required=True, metavar="STACK", help="the CloudFormation stack of ecs/template.yml")
    parser.add_argument("--workers", required=True, type=_positive, metavar="N", help="worker tasks, each with a vCPU")
    parser.add_argument("--config", required=True, metavar="FILE", help="the YAML file: a path or an s3:// address")
    parser.add_argument("--output", default="results", metavar="FOLDER", help="where the report is copied to (default results)")


def _check_together(parser: _Parser, parsed: argparse.Namespace) -> None:
    """Options that cannot be together, each with its cure."""
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
    if parsed.dry_run and (parsed.resume or parsed.worker):
        parser.error("--dry-run goes with neither --resume nor --worker")


def _positive(text: str) -> int:
    return _whole(text, 1, 100_000)


def _port(text: str) -> int:
    return _whole(text, 0, 65_535)


def _seed(text: str) -> int:
    return _whole(text, 0, 2**63 - 1)


def _processes(text: str) -> int:
    return -1 if text.strip() == "-1" else _whole(text, 1, 1024, " or -1 for one a core")


def _whole(text: str, low: int, high: int, otherwise: str = "") -> int:
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f'"{text}" is not a whole number from {low} to {high}{otherwise}')
    return number
