"""Where finished files go: a folder or a prefix on S3, behind one interface."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from fmbench.storage.local import LocalStore


class Store(Protocol):
    """Named files below one address. Names are relative, with ``/``.

    A file is there whole or not at all, and has been checked when ``put_*`` returns.
    Raises ``Refused`` where the store cannot be reached or may not be used.
    """

    @property
    def address(self) -> str:
        """The folder's path or s3:// address, without a slash at its end."""

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


def is_s3(address: str) -> bool:
    """Whether ``address`` is on S3."""
    return address.startswith("s3://")


def store_for(address: str, region: str | None = None) -> Store:
    """The store at ``address``: a folder's path, or ``s3://bucket/prefix``. Raises ``UnusableInput`` for anything else."""
    if not is_s3(address):
        return LocalStore(address)
    from fmbench.storage.s3 import S3Store  # boto3 is loaded for S3 alone

    return S3Store(address, region)
