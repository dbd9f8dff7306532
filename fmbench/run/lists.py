"""Tables for the commands that list what there is."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from fmbench.core.failures import ExitCode, UnusableInput
from fmbench.core.prices.book import PriceBook
from fmbench.core.prices.sources.listed import known_ids
from fmbench.run.fit import plain_cell
from fmbench.run.models_page import configurations_of_models
from fmbench.run.say import say

_ALL = ", and --all looks through the price list too"
WIDE = 10_000
"""Columns of a table that goes into a pipe or a file."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str] = ()) -> None:
    """A table on stdout, as wide as the terminal; the columns in ``numbers`` are set to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(plain_cell, row))
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDE, highlight=False, markup=False).print(table)


def list_models(word: str, region: str, everything: bool) -> int:
    """``fmbench-load models``: ids of the shipped configurations, with prices; ``everything``: of the price list too."""
    files = configurations_of_models()
    ids = list(dict.fromkeys([*files, *(known_ids() if everything else ())]))
    found = [model for model in ids if word.lower() in model.lower()]
    if not found:
        raise UnusableInput(
            f'no model has "{word}" in its id here; any id of Bedrock can be used{_ALL if not everything else ""}.'
        )
    book = PriceBook({}, region)
    columns = ("model id", "$ input / M", "$ output / M", "in configuration")
    rows = [(model, *in_dollars(book, model, region), ", ".join(files.get(model, ()))) for model in found]
    print_table(columns, rows, columns[1:3])
    more = "" if everything else " --all: those of the price list too."
    say(
        f"USD for a million tokens in {region}; ?: not known, pricing: in the file tells it. Any id of Bedrock can be used.{more}"
    )
    return ExitCode.DONE


def in_dollars(book: PriceBook, model: str, region: str) -> tuple[str, str]:
    """The price of a million tokens in and out; ``?`` where it is not known."""
    price = book.price_of(model, region=region)
    schedule = None if price is None else price.schedule()
    rates = None if schedule is None else schedule.base
    return ("?", "?") if rates is None else (f"{rates.input:g}", f"{rates.output:g}")
