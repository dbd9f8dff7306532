"""Where finished files go: a folder, or another of the stores in ``stores/``, behind one interface."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from fmbench.config.addresses import SCHEMES, STORE_EXAMPLES
from fmbench.core.failures import UnusableInput
from fmbench.core.registry import entry


class Store(Protocol):
    """Named files below one address. Names are relative, with ``/``.

    A file is there whole or not at all, and has been checked when ``put_*`` returns.
    Raises ``Refused`` where the store cannot be reached or may not be used.
    """

    @property
    def address(self) -> str:
        """The folder's path or the store's address, without a slash at its end."""

    def put_file(self, name: str, path: Path) -> None:
        """Store the file at ``path`` under ``name``, over what was there."""

    def put_bytes(self, name: str, data: bytes, if_absent: bool = False) -> None:
        """Store ``data`` under ``name``. ``if_absent``: raises ``FileExistsError`` when the name is taken."""

    def get_bytes(self, name: str) -> bytes:
        """What is stored under ``name``. Raises ``FileNotFoundError``."""

    def get_file(self, name: str, path: Path) -> None:
        """Copy what is stored under ``name`` to ``path``. Raises ``FileNotFoundError``."""

    def delete(self, name: str) -> None:
        """Take away what is stored under ``name``, if anything is."""

    def list(self, prefix: str = "") -> list[str]:
        """The names that begin with ``prefix``, sorted; those that would leave a folder they are copied to are left out."""

    def check_writable(self) -> None:
        """Raises ``Refused`` when nothing can be stored here."""


def is_remote(address: str) -> bool:
    """Whether ``address`` is of a store that is no folder of this machine."""
    return scheme_of(address) in SCHEMES


def scheme_of(address: str) -> str | None:
    """What stands before ``://``; None: ``address`` is a path."""
    scheme, mark, _ = address.partition("://")
    return scheme if mark else None


def store_for(address: str, region: str | None = None) -> Store:
    """The store at ``address``: a folder's path, or the address of another store. Raises ``UnusableInput`` for anything else."""
    scheme = scheme_of(address)
    if scheme is not None and scheme not in SCHEMES:
        raise UnusableInput(f"{address}: is neither a folder nor the address of a store; give a folder, or {STORE_EXAMPLES}.")
    module = entry("storage/stores", scheme or "local")  # boto3 is loaded for S3 alone
    store: Store = module.open_store(address, region)
    return store
