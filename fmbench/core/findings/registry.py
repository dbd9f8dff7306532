"""Can the numbers be trusted? Every check, and the verdict that follows from what they find: PASS, DEGRADED or INVALID.

``error`` findings make a run INVALID, ``warning`` findings DEGRADED; a ``note`` is worth knowing and takes nothing away.
"""

from __future__ import annotations

from typing import Any

from fmbench.core.findings.finding import ERROR, NOTE, WARNING, Check, Evidence
from fmbench.core.registry import entry, names_in

VERDICTS = {ERROR: "INVALID", WARNING: "DEGRADED", NOTE: "PASS"}

_FOLDER = "core/findings"
_ORDER = (
    "requests",
    "accounting",
    "load",
    "workers",
    "cells",
    "counts",
    "instrument",
    "calibration",
    "network",
    "concurrency",
    "steady-state",
    "change",
    "prompt-cache",
    "served",
    "throttling",
    "failed",
    "of-one",
    "samples",
    "prompts",
    "answered",
    "thinking",
    "truncation",
    "answer-length",
    "tokens",
    "price",
    "cloudwatch",
)
"""Of findings that are equally grave, which come first; those of a file that is not named here come last."""


def _found() -> tuple[Check, ...]:
    names = [name for name in names_in(_FOLDER) if name not in ("finding", "registry")]
    names.sort(key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    return tuple(check for name in names for check in entry(_FOLDER, name).CHECKS)


CHECKS = _found()


def validity(evidence: Evidence) -> dict[str, Any]:
    """``{verdict, findings: [{severity, subject, message}]}``, the gravest first."""
    found = [finding for check in CHECKS for finding in check(evidence)]
    order = list(VERDICTS)
    found.sort(key=lambda finding: order.index(finding.severity))
    return {
        "verdict": VERDICTS[found[0].severity] if found else "PASS",
        "findings": [{"severity": one.severity, "subject": one.subject, "message": one.message} for one in found],
    }
