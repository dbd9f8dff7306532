"""Whether processes grow: samples of their memory and descriptors, and what they took at the end beside the beginning."""

from __future__ import annotations

import os
import statistics
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SETTLED_S = 600.0
"""Growth is looked at from then on."""


@dataclass
class Sample:
    """One look at a process."""

    at_s: float
    memory: int
    descriptors: int


@dataclass
class Growth:
    """How much a process grew after it had settled, in per cent; from the medians of the first and the last fifth."""

    name: str
    lived_s: float
    memory: float
    descriptors: float


class Watch:
    """Samples the memory and the descriptors of processes."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.samples: dict[tuple[str, int], list[Sample]] = {}

    def look(self, name: str, pids: list[int]) -> None:
        """One sample of each."""
        for pid in pids:
            with suppress(OSError, IndexError, ValueError):
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                files = len(os.listdir(f"/proc/{pid}/fd"))
                sample = Sample(time.monotonic() - self._began, pages * os.sysconf("SC_PAGE_SIZE"), files)
                self.samples.setdefault((name, pid), []).append(sample)

    def growth(self, settled_s: float = SETTLED_S) -> list[Growth]:
        """Of every process that was looked at for at least twice as long as it takes to settle, or half of that after it."""
        found = []
        for (name, _), samples in self.samples.items():
            late = [each for each in samples if each.at_s - samples[0].at_s >= settled_s]
            if len(late) < 20:
                continue
            fifth = len(late) // 5
            first, last = late[:fifth], late[-fifth:]
            memory, files = (100 * (_middle(last, of) / max(1.0, _middle(first, of)) - 1) for of in ("memory", "descriptors"))
            found.append(Growth(name, samples[-1].at_s - samples[0].at_s, memory, files))
        return found


def _middle(samples: list[Sample], of: str) -> float:
    return statistics.median(getattr(each, of) for each in samples)
