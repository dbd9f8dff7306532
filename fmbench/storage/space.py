"""How much room the disk of a run has: the load stops while there is enough for sealing its journals and for the report."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

RESERVE = 64 * 1024 * 1024
SHARE = 4
"""… or a quarter of the disk, where that is less."""


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a disk."""

    free: int
    whole: int

    @property
    def short(self) -> bool:
        """Whether there is less than the reserve."""
        return self.free < min(RESERVE, self.whole // SHARE)

    def in_words(self) -> str:
        """``3.2 MB of 20.0 MB are free``."""
        return f"{self.free / 1e6:.1f} MB of {self.whole / 1e6:.1f} MB are free"


def space_left(folder: Path) -> Space:
    """The room on the disk of ``folder``. Raises ``FileNotFoundError``."""
    disk = os.statvfs(folder)
    return Space(disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize)
