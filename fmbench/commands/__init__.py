"""The commands of ``fmbench-load``, a file each, under its name: each declares a ``COMMAND``, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from fmbench.command import PROGRAM, Command, Group, Parser, nearest, parser_of
from fmbench.config.addresses import STORE_EXAMPLES
from fmbench.core.failures import UnusableInput
from fmbench.core.registry import entry, names_in

DEFAULT = "run"
"""The command that is meant when none is named."""

OTHER_WORDS = {
    "run": ("start", "test", "bench", "benchmark", "load", "go", "exec"),
    "runs": ("list", "ls", "history", "results"),
    "init": ("new", "create", "setup", "wizard", "generate", "configure"),
    "compare": ("diff", "regression", "vs"),
    "simulate": ("serve", "server", "simulator", "mock", "endpoint"),
    "check": ("validate", "doctor", "preflight", "verify", "lint"),
    "configs": ("examples", "templates", "config", "presets"),
    "import-fmbench": ("import", "convert", "migrate"),
    "policy": ("iam", "permissions"),
    "prices": ("cost", "costs", "pricing"),
    "report": ("show", "view", "summary", "html"),
    "demo": ("quickstart", "try", "example", "tutorial"),
    "--version": ("version",),
}
"""What people call a command by the ways of other tools."""


def names() -> tuple[str, ...]:
    """The commands' names, in the order of the alphabet."""
    return names_in("commands")


def find(name: str) -> Command:
    """The command that is called ``name``. Raises ``UnusableInput`` with the nearest one when there is none."""
    if name not in names():
        raise UnusableInput(f'there is no command "{name}"{_meant(name)}; {PROGRAM} help lists what there is.')
    command: Command = entry("commands", name).COMMAND
    return command


def _meant(name: str) -> str:
    """The command that is called otherwise, the file that lacks its end, or the command that is nearest by its letters."""
    from pathlib import Path

    from fmbench.config.wrong_file import nearest_file

    other = next((right for right, words in OTHER_WORDS.items() if name.lower() in words), None)
    file = nearest_file(Path(name)) if other is None and not nearest(name, names(), cutoff=0.8) else None
    meant = other or file
    return nearest(name, names()) if meant is None else f', did you mean "{PROGRAM} {meant}"?'


def listed() -> Iterator[tuple[Group, list[Command]]]:
    """The commands that help lists, by group, in the order of the alphabet."""
    commands = [find(name) for name in names()]
    for group in Group:
        if group is not Group.HIDDEN:
            yield group, [command for command in commands if command.group is group]


def whole_parser() -> Parser:
    """The parser of ``fmbench-load`` itself: a study's options, and every command below them."""
    parser = Parser(
        prog=PROGRAM,
        description="Choose a foundation model on Amazon Bedrock, and a number of users to put on it.",
        usage=f"{PROGRAM} CFG.yml [options]\n       {PROGRAM} COMMAND …",
        epilog=_epilog(),
    )
    find(DEFAULT).add(parser)
    return parser


def help_of(name: str | None) -> str:
    """The help of a command; None: of all. Raises ``UnusableInput`` for a command that there is not."""
    return (whole_parser() if name is None else parser_of(find(name))).format_help()


def _epilog() -> str:
    text = ""
    for group, commands in listed():
        rows = "".join(f"  {command.name:<16}{command.help}\n" for command in commands)
        text += f"{group.title}:\n{rows}\n"
    return text + (
        f"Each takes --help. RUN is a run folder: its path, or its address in a store ({STORE_EXAMPLES}).\n"
        "Messages go to stderr; the last line on stdout is the run folder's address. Exit statuses: docs/cli.md.\n"
    )


def completion_words() -> dict[str, list[str]]:
    """The options of every command that help lists; under ``""`` those of ``fmbench-load CFG.yml``."""
    parsers = {command.name: parser_of(command) for _, commands in listed() for command in commands}
    words = {name: sorted(parser.option_strings) for name, parser in parsers.items()}
    return {"": sorted(whole_parser().option_strings)} | words
