"""Prompt files in a store, copied into the scratch folder of the prepare step. AWS's own variables and profiles hold."""

from __future__ import annotations

from pathlib import Path

from fmbench.core.failures import UnusableInput
from fmbench.core.names import below
from fmbench.storage.store import store_for

_OBJECTS = (".jsonl", ".ndjson", ".json", ".zip", ".parquet", ".csv", ".arrow")
"""An address that ends so is one object's; any other is a folder's."""


def download(address: str, folder: Path, endings: tuple[str, ...]) -> Path:
    """Copy the object at ``address``, or those right under it that end in one of ``endings``; the path of the copy.

    Raises ``UnusableInput`` when nothing is there, and ``Refused`` when the store cannot be used.
    """
    above, _, name = address.rstrip("/").rpartition("/")
    if name.endswith(_OBJECTS):
        return _copied(above, [name], folder) / name
    names = [name for name in store_for(address).list() if name.endswith(endings) and "/" not in name]
    if not names:
        raise UnusableInput(f"dataset.path: no object right under {address} ends in {' or '.join(endings)}")
    return _copied(address, names, folder)


def _copied(above: str, names: list[str], folder: Path) -> Path:
    store = store_for(above)
    for name in names:
        try:
            store.get_file(name, below(folder, name))
        except FileNotFoundError as error:
            raise UnusableInput(f"dataset.path: {above}/{name} does not exist") from error
    return folder
