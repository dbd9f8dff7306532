"""What the preparation of prompts warned of."""

from __future__ import annotations

from collections.abc import Iterator

from fmbench.core.findings.finding import NOTE, Evidence, Finding
from fmbench.core.messages import Phrase


def thin_buckets(evidence: Evidence) -> Iterator[Finding]:
    """The preparation's own words."""
    for warning in evidence.manifest.get("warnings") or []:
        yield Finding(NOTE, "prompts", Phrase(str(warning)))


CHECKS = (thin_buckets,)
