"""Arguments that several commands take, and how their values are read."""

from __future__ import annotations

import argparse

from fmbench.config.addresses import STORE_EXAMPLES

RUN_HELP = f"a run folder: its path, or its address in a store ({STORE_EXAMPLES})"
WHERE_HELP = f"a folder, or {STORE_EXAMPLES}"


def add_config(parser: argparse.ArgumentParser) -> None:
    """``CFG.yml`` or ``--config``, and what overrides the file."""
    parser.add_argument("file", nargs="?", metavar="CFG.yml", help="the same as --config")
    where = "the YAML file (docs/configuration.md), here or in a store; -: standard input"
    parser.add_argument("--config", metavar="FILE", help=where)
    parser.add_argument(
        "--set", action="append", default=[], dest="overrides", metavar="a.b=VALUE", help="override a key of the file; repeatable"
    )
    parser.add_argument("--output", metavar="WHERE", help=WHERE_HELP)
    parser.add_argument("--seed", type=seed, metavar="N", help="the seed of everything that is drawn")


def take_config(parser: argparse.ArgumentParser, parsed: argparse.Namespace, needed: bool = True) -> None:
    """Put the file into ``parsed.config``, however it was given. Ends with one line when it was given twice, or not at all."""
    if parsed.file is not None and parsed.config is not None:
        parser.error(f'the configuration is given twice, as "{parsed.file}" and as --config {parsed.config}: give one')
    parsed.config = parsed.config or parsed.file
    if needed and parsed.config is None:
        parser.error("no configuration is given: --config CFG.yml names one, and fmbench-load init writes one")


def positive(text: str) -> int:
    """A whole number from 1 on."""
    return _whole(text, 1, 100_000)


def port(text: str) -> int:
    """A port's number."""
    return _whole(text, 0, 65_535)


def seed(text: str) -> int:
    """A whole number that fits into 63 bits."""
    return _whole(text, 0, 2**63 - 1)


def processes(text: str) -> int:
    """A number of processes, or -1."""
    return -1 if text.strip() == "-1" else _whole(text, 1, 1024, " or -1 for one a core")


def _whole(text: str, low: int, high: int, otherwise: str = "") -> int:
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f'"{text}" is not a whole number from {low} to {high}{otherwise}')
    return number
