"""The command line: it finds a command of ``commands/`` and hands it what it was given. Nothing heavy is imported for help."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from pathlib import Path

from fmbench.command import parser_of, say
from fmbench.commands import DEFAULT, find, names, whole_parser
from fmbench.core.failures import ExitCode, FmbenchError

NAMES = (errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR)
"""What a system says of a name that was given and that it does not let one look at."""
SHOWN = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status (docs/cli.md). Without ``arguments`` this is the program, which ends then."""
    status = _main(list(sys.argv[1:] if arguments is None else arguments))
    # An interrupt that passed through an eval of some library makes Python kill itself at its end; the next eval forgets it.
    eval("0")
    if arguments is None:
        _end_in_peace()
    return status


def _end_in_peace() -> None:
    """The status stands: a signal that comes while Python puts itself away does not become another one."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _main(given: list[str]) -> int:
    try:
        return int(_run(given))
    except FmbenchError as error:
        say(str(error))
        return int(error.exit_code)
    except KeyboardInterrupt:
        say("interrupted.")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        return int(ExitCode.FAULT)
    except OSError as error:
        return _no_such_name(error) if error.errno in NAMES and error.filename else _of_the_system(error)
    except Exception as error:
        return _fault(error)


def _run(given: list[str]) -> int:
    named = bool(given) and _is_command(given[0])
    command = find(given[0] if named else DEFAULT)
    parser = parser_of(command) if named else whole_parser()
    parsed = parser.parse_args(given[1:] if named else given)
    if command.check is not None:
        command.check(parser, parsed)
    return command.run(parsed)


def _is_command(word: str) -> bool:
    """Whether the first argument is meant as a command: neither an option nor the file of ``fmbench-load CFG.yml``."""
    if word.startswith("-"):
        return False
    return word in names() or not (Path(word).suffix or "/" in word or Path(word).exists())


def _no_such_name(error: OSError) -> int:
    """A name that the system does not take, wherever it was first looked at."""
    name = str(error.filename)
    say(f"{name if len(name) <= SHOWN else name[:SHOWN] + '…'}: {error.strerror}; give another path.")
    return int(ExitCode.UNUSABLE)


def _of_the_system(error: OSError) -> int:
    """A disk that is full, fails or can only be read is no fault of the program."""
    from fmbench.storage.disk import said_of

    said = said_of(error)
    if said is None:
        return _fault(error)
    say(f"{said}.")
    return int(ExitCode.REFUSED)


def _fault(error: Exception) -> int:
    """A fault of the program: one line, and where the traceback is."""
    from fmbench.run.traceback_file import write_traceback

    say(f"a fault of the program: {type(error).__name__}: {error}. The traceback is in {write_traceback(error)}.")
    return int(ExitCode.FAULT)
