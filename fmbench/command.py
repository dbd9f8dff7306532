"""What a command is: its name, its help, what it takes and what it does; and the parser that says what is wrong in one line."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NoReturn

from fmbench.core.failures import ExitCode
from fmbench.core.neutral import visible

PROGRAM = "fmbench-load"


class Group(IntEnum):
    """Where a command stands in the help, in that order."""

    BEGIN = 0
    RUN = 1
    RUNS = 2
    MACHINE = 3
    HIDDEN = 4
    """For other programs: it is not listed."""

    @property
    def title(self) -> str:
        """The heading above the commands of the group."""
        return ("to begin", "a study", "runs that are stored", "machines and endpoints", "")[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command. ``run`` imports what it needs when it is called, so that help and mistakes are answered at once."""

    name: str
    help: str
    """One line, without a full stop."""
    usage: str
    """What follows the name, in one line: ``RUN_A RUN_B [--json]``."""
    group: Group
    add: Callable[[Parser], None]
    """Declares the arguments."""
    run: Callable[[argparse.Namespace], int]
    """Does it, and returns the exit status."""
    check: Callable[[Parser, argparse.Namespace], None] | None = None
    """Refuses arguments that cannot be together, through ``Parser.error``."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the cure, and ends with the documented status."""

    double_dash: str | None = None
    """The option that ``--`` stands for: of a command that takes two lists."""
    elsewhere: Callable[[str], str | None] = staticmethod(lambda _word: None)
    """Where a word that is no option is to be said instead: an option that it is another name of, or ``--set key=…``."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **settings)

    def error(self, message: str) -> NoReturn:
        say(f"{message}; {self.prog} --help lists what there is.")
        raise SystemExit(int(ExitCode.UNUSABLE))

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """As argparse does it, but an option that does not exist is named first, with the nearest one that does."""
        if self.double_dash is not None:
            given = sys.argv[1:] if args is None else args
            if list(given[-1:]) == ["--"]:
                self.error("nothing stands after --")
            args = [self.double_dash if argument == "--" else argument for argument in given]
        if self._subparsers is None:
            self._check_options(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    @property
    def option_strings(self) -> list[str]:
        """Every option that it takes."""
        return list(self._option_string_actions)

    def _check_options(self, arguments: Sequence[str]) -> None:
        known = self._option_string_actions
        for argument in arguments:
            word = argument.partition("=")[0]
            if argument == "--":
                return
            if re.match(r"--?[A-Za-z]", word) and word not in known:
                self.error(f'there is no option "{word}"{self._meant(word)}')

    def _meant(self, word: str) -> str:
        known, letters = self._option_string_actions, word.lstrip("-").lower()
        if len(letters) == 1:
            long = next((name for name in known if name.startswith(f"--{letters}")), None)
            return "" if long is None else f', did you mean "{long}"?'
        other = self.elsewhere(letters)
        if other is None or nearest(word, known, cutoff=0.8):
            return nearest(word, known)
        return f', did you mean "{other}"?'


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """``, did you mean "--version"?`` for the one of ``known`` that is most like ``word``; nothing when none is."""
    by_letters = {name.lstrip("-"): name for name in known}
    close = difflib.get_close_matches(word.lstrip("-").lower(), by_letters, n=1, cutoff=cutoff)
    return f', did you mean "{by_letters[close[0]]}"?' if close else ""


def say(message: str) -> None:
    """A message for the user, on stderr."""
    print(f"{PROGRAM}: {visible(message)}", file=sys.stderr, flush=True)


def parser_of(command: Command) -> Parser:
    """The command's own parser."""
    parser = Parser(prog=f"{PROGRAM} {command.name}", description=f"{command.help}.")
    command.add(parser)
    return parser
