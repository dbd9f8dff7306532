"""``fmbench-load completion SHELL``."""

from __future__ import annotations

import argparse

from fmbench.command import Command, Group, Parser


def _add(parser: Parser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell that is to learn it")


def _run(parsed: argparse.Namespace) -> int:
    from fmbench.commands import completion_words
    from fmbench.completion import script

    print(script(parsed.shell, completion_words()), end="")
    return 0


COMMAND = Command(
    name="completion",
    help='Completion for a shell: eval "$(fmbench-load completion bash)"',
    usage="bash|zsh|fish",
    group=Group.BEGIN,
    add=_add,
    run=_run,
)
