"""A plan that put more users on a load process than the machine was measured to carry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.findings.finding import NOTE, Evidence, Finding
from fmbench.core.messages import Amount, Message
from fmbench.core.units import SECONDS


@dataclass(frozen=True, slots=True)
class BeyondCalibration(Message):
    """Users of a load process, and what it carries."""

    says: ClassVar[str] = (
        "Up to {asked} users were on one load process; by calibration it carries {carries} at a TTFT error of at most {error}. "
        "Use more of them (--processes)."
    )
    asked: int
    carries: int
    error: Amount


def beyond_calibration(evidence: Evidence) -> Iterator[Finding]:
    """Whether the plan stayed within the calibration."""
    measure = (evidence.manifest.get("environment") or {}).get("calibration") or {}
    asked, carries = measure.get("asked_per_process"), measure.get("users_per_process")
    if asked is not None and carries is not None and asked > carries:
        message = BeyondCalibration(asked, carries, Amount(measure["max_ttft_error_s"], SECONDS))
        yield Finding(NOTE, "calibration", message)


CHECKS = (beyond_calibration,)
