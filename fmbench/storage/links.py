"""Links in a run folder that came from somebody else: what is read or written there stays there."""

from __future__ import annotations

import os
from pathlib import Path

from fmbench.core.failures import UnusableInput
from fmbench.core.neutral import neutral


def check_links(folder: Path) -> None:
    """Raises ``UnusableInput`` for a link in ``folder``, at any depth, that leads out of it.

    A report would follow it to write pictures elsewhere, or show what a file elsewhere holds. A ``folder`` that is a link itself
    is its user's own.
    """
    inside = folder.resolve()
    for above, folders, files in os.walk(inside):
        for name in (*folders, *files):
            path = Path(above, name)
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside):
                shown = neutral(str(path.relative_to(inside)), 200)
                raise UnusableInput(
                    f"{folder}/{shown}: is a link to somewhere else; put there what it leads to, or take it away."
                )
