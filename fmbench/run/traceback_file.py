"""Where the traceback of a fault of the program goes: a file, so that the terminal keeps its one line."""

from __future__ import annotations

import tempfile
import traceback
from pathlib import Path


def write_traceback(error: BaseException, folder: Path | None = None) -> Path:
    """Append ``error``'s traceback to ``fmbench.log`` in ``folder``; to a temporary file where that cannot be."""
    text = "".join(traceback.format_exception(error))
    if folder is not None:
        try:
            with (folder / "fmbench.log").open("a", encoding="utf-8") as file:
                file.write(text)
            return folder / "fmbench.log"
        except OSError:
            pass
    with tempfile.NamedTemporaryFile("w", prefix="fmbench-load-", suffix=".log", delete=False, encoding="utf-8") as scratch:
        scratch.write(text)
    return Path(scratch.name)
