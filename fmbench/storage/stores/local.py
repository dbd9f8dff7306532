"""A folder on this machine as a store."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from fmbench.core.failures import Refused, UnusableInput
from fmbench.core.names import below, is_inside
from fmbench.core.neutral import neutral
from fmbench.storage.atomic import commit, part_path, write_bytes


class LocalStore:
    """Files in a folder, which is made when the first one is stored."""

    def __init__(self, address: str) -> None:
        if not address or not address.isprintable():
            raise UnusableInput(f"{neutral(address, 200)!r}: is no folder's name; write one without control characters.")
        try:
            self.folder = Path(address).expanduser()
        except RuntimeError as error:
            raise UnusableInput(f"{address}: is no folder ({error}); write its whole path.") from None

    @property
    def address(self) -> str:
        return str(self.folder)

    def put_file(self, name: str, path: Path) -> None:
        target = below(self.folder, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = part_path(target)
        shutil.copyfile(path, part)
        commit(part, target)

    def put_bytes(self, name: str, data: bytes, if_absent: bool = False) -> None:
        target = below(self.folder, name)
        if not if_absent:
            write_bytes(target, data)
            return
        part = part_path(target)
        write_bytes(part, data)
        try:
            os.link(part, target)
        finally:
            part.unlink()

    def get_bytes(self, name: str) -> bytes:
        return (below(self.folder, name)).read_bytes()

    def get_file(self, name: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.folder / name, path)

    def delete(self, name: str) -> None:
        (below(self.folder, name)).unlink(missing_ok=True)

    def list(self, prefix: str = "") -> list[str]:
        files = (path for path in self.folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        names = (path.relative_to(self.folder).as_posix() for path in files)
        return sorted(name for name in names if name.startswith(prefix) and is_inside(name))

    def check_writable(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".fmbench-") as file:
                file.write(b"x")
        except OSError as error:
            cure = "choose another --output, or make it writable"
            raise Refused(f"output {self.address}: cannot be written ({error.strerror or error}); {cure}.") from None


def open_store(address: str, region: str | None) -> LocalStore:
    """The folder at ``address``; a region says nothing about it."""
    return LocalStore(address)
