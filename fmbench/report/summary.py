"""The summary in words: ``summary.json`` as it is stored, and a run's closing line."""

from __future__ import annotations

from typing import Any

import fmbench.report.sentences  # noqa: F401 - says the verdict's messages
from fmbench.report.say import Names, say, whole, worded

__all__ = ["closing_line", "say", "whole", "worded"]


def closing_line(summary: dict[str, Any], names: Names = whole) -> str:
    """The recommendation and why, or why there is none; an INVALID run has none, whatever its figures say."""
    reason = say(summary["recommendation_reason"], names)
    if not summary.get("recommendation"):
        return f"No recommendation: {reason}"
    if summary["validity"]["verdict"] == "INVALID":
        return f"No answer: the run is INVALID, and its findings say why. Its figures alone would say: {reason}"
    return reason
