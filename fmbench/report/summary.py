"""The summary in words: ``summary.json`` as it is stored, and a run's closing line."""

from __future__ import annotations

from typing import Any

import fmbench.report.sentences  # noqa: F401 - says the verdict's messages
from fmbench.report.quota_words import quota_sentences
from fmbench.report.say import say, worded

__all__ = ["closing_line", "say", "worded"]


def closing_line(said: dict[str, Any]) -> str:
    """The recommendation and why, or why there is none, or the quotas that were searched for; an INVALID run has no answer,
    whatever its figures say.

    ``said``: the summary as ``summary.json`` has it.
    """
    quotas = quota_sentences(said)
    reason = " ".join(quotas) or str(said["recommendation_reason"])
    if not quotas and not said.get("recommendation"):
        return f"No recommendation: {reason}"
    if said["validity"]["verdict"] == "INVALID":
        return f"No answer: the run is INVALID, and its findings say why. Its figures alone would say: {reason}"
    return reason
