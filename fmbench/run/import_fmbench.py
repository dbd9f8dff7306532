"""``fmbench-load import-fmbench FILE``: FMBench's configuration as one of ours on stdout, what became of each part on stderr."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from fmbench.config.document import read_document, write_document
from fmbench.config.files import read_some
from fmbench.config.load import parse_config, text_of
from fmbench.core.failures import ExitCode, UnusableInput
from fmbench.migration.convert import convert
from fmbench.migration.source import Old, read
from fmbench.run.say import say
from fmbench.storage.store import is_remote, store_for


def import_fmbench(address: str, pricing: str | None, data: str | None, to: str | None) -> int:
    """Print the converted configuration, or write it to ``to``; it is checked before. Raises ``UnusableInput``."""
    old = read(_text(address), Path(address).name)
    value = convert(old, _prices(old, address, pricing), data)
    notes = list(old.lines())
    text = f"# Made from FMBench's {Path(address).name}. Look before you spend: --dry-run.\n{write_document(value)}"
    parse_config(text, f"what {address} became")
    for note in notes:
        say(note)
    if to is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return ExitCode.DONE
    try:
        with Path(to).open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise UnusableInput(f"{to}: cannot be written ({error.strerror or error}); give another place.") from None
    print(to, flush=True)
    return ExitCode.DONE


def _text(address: str) -> str:
    try:
        if is_remote(address):
            folder, _, name = address.rpartition("/")
            return store_for(folder).get_bytes(name).decode("utf-8-sig")
        return text_of(read_some(Path(address).expanduser()), address)
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(
            f"{address}: cannot be read ({getattr(error, 'strerror', None) or error}); give FMBench's file."
        ) from None


def _prices(old: Old, address: str, pricing: str | None) -> dict[str, Any] | None:
    """FMBench's price file: the given one, or the one that the configuration names, beside it or in the folder above."""
    named = old.text("pricing")
    if pricing is None and (named is None or is_remote(address)):
        return None
    here = Path(address).expanduser().resolve().parent
    places = [Path(pricing).expanduser()] if pricing else [folder / str(named) for folder in (here, here.parent)]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        if pricing:
            raise UnusableInput(f"--pricing {pricing}: there is no such file.")
        return None
    value = read_document(_text(str(found)), found.name).value
    return value if isinstance(value, dict) else None
