"""Whether Bedrock is in the regions of the configuration."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from fmbench.core.preflight import Found, Verdict
from fmbench.run.preflight.subject import Subject

NAME = "region"


def look(subject: Subject) -> Iterator[Found]:
    """A region that boto3 does not know for Bedrock may be new, or mistyped."""
    for region in sorted({subject.region(model) for model in subject.config.models}):
        known = subject.account(region).regions()
        if region in known:
            yield Found(check=NAME, about=region, verdict=Verdict.OK, what="Bedrock is there")
            continue
        yield unknown(region, known)


def unknown(region: str, known: Sequence[str]) -> Found:
    """What is said of a region that is none of those known."""
    close = difflib.get_close_matches(region, known, n=1)
    cure = f"Did you mean {close[0]}?" if close else "See the regions of Amazon Bedrock in AWS's documentation."
    return Found(check=NAME, about=region, verdict=Verdict.WARNING, what="boto3 knows no Bedrock there", cure=cure)
