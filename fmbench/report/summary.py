"""The summary in words: ``summary.json`` as it is stored, and a run's closing line."""

from __future__ import annotations

from typing import Any

import fmbench.report.sentences  # noqa: F401 - says the verdict's messages
from fmbench.report.say import say, worded

__all__ = ["closing_line", "say", "worded"]


def closing_line(said: dict[str, Any]) -> str:
    """The recommendation and why, or why there is none; an INVALID run has none, whatever its figures say.

    ``said``: the summary as ``summary.json`` has it.
    """
    reason = str(said["recommendation_reason"])
    if not said.get("recommendation"):
        return f"No recommendation: {reason}"
    if said["validity"]["verdict"] == "INVALID":
        return f"No answer: the run is INVALID, and its findings say why. Its figures alone would say: {reason}"
    return reason
