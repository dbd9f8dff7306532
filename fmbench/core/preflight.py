"""What a check before a run found: types alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What one check came to."""

    OK = "ok"
    WARNING = "warning"
    """The run can start; something is not as it should be."""
    UNKNOWN = "unknown"
    """It could not be looked up: permissions or the network do not let it."""
    FAILED = "failed"
    """The run would fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One check of one thing. ``cure`` is empty where all is well."""

    check: str
    about: str
    verdict: Verdict
    what: str
    cure: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**asdict(self), "verdict": str(self.verdict)}


def failed(found: Iterable[Found]) -> list[Found]:
    """The findings that keep a run from starting."""
    return [each for each in found if each.verdict is Verdict.FAILED]
