"""What a load process that stores its own journal leaves on its machine when it is killed, and where it belongs."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fmbench.core.failures import FmbenchError
from fmbench.storage.journal import hold, is_written
from fmbench.storage.store import store_for

_MARK = ".store.json"
SCRATCH = "fmbench-load-"
"""How the folders begin that load processes work in, below ``TMPDIR``."""


def remember(folder: Path, address: str, region: str | None) -> None:
    """Write into ``folder`` where its journals belong, and hold that for as long as this process lives."""
    file = os.open(folder / _MARK, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    os.write(file, json.dumps({"address": address, "region": region}).encode())
    hold(file)


def journals_below(scratch: Path) -> list[Path]:
    """Journals in the folders of load processes below ``scratch`` that nobody works with any more."""
    folders = [mark.parent for mark in scratch.glob(f"*/*/{_MARK}") if not is_written(mark)]
    return sorted(path for folder in folders for path in folder.glob("journal/*.jsonl") if not is_written(path))


def journals_of_others() -> list[Path]:
    """Those of this user's workers that were here before, and were killed with all that they were."""
    above = Path(tempfile.gettempdir())
    return [path for scratch in above.glob(f"{SCRATCH}*") if _is_own(scratch) for path in journals_below(scratch)]


def send(journals: list[Path]) -> Iterator[tuple[Path, str]]:
    """Bring each to its store; yields it with the reason when that could not be done, else with an empty text."""
    for path in journals:
        try:
            belongs = json.loads((path.parents[1] / _MARK).read_text())
            store_for(belongs["address"], belongs["region"]).put_file(f"journal/{path.name}", path)
            path.unlink()
            yield path, ""
        except (FmbenchError, OSError, ValueError, KeyError, TypeError) as error:
            yield path, str(error)


def _is_own(folder: Path) -> bool:
    with suppress(OSError):
        return folder.lstat().st_uid == os.getuid() and folder.is_dir() and not folder.is_symlink()
    return False
