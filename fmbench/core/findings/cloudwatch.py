"""Where CloudWatch, the second witness, says something else than the records, or could not be asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from fmbench.core.cloudwatch import witnessed
from fmbench.core.findings.finding import NOTE, WARNING, Evidence, Finding
from fmbench.core.messages import Message


@dataclass(frozen=True, slots=True)
class WitnessSilent(Message):
    """Why CloudWatch said nothing."""

    says: ClassVar[str] = "CloudWatch was to be asked, and said nothing: {why}. It takes cloudwatch:GetMetricData."
    why: str


@dataclass(frozen=True, slots=True)
class WitnessDiffers(Message):
    """A count that does not agree."""

    says: ClassVar[str] = (
        "CloudWatch counts {theirs:,} {what} of {model} in the run's minutes, the records {ours:,}. More: others used the "
        "model, too; fewer: its datapoints were not all there yet, or the requests were counted under another id."
    )
    model: str
    what: str
    ours: int
    theirs: int


@dataclass(frozen=True, slots=True)
class WitnessWaits(Message):
    """Time to first token that does not agree."""

    says: ClassVar[str] = (
        "CloudWatch has a mean time to first token of {theirs:.3f} s for {model}, the records {ours:.3f} s: the rest is the way "
        "there and back, or others' requests."
    )
    model: str
    ours: float
    theirs: float


WORDS = {
    "invocations": "requests let through",
    "throttles": "throttled requests",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
    "quota_tokens": "tokens of the quota",
}


def second_witness(evidence: Evidence) -> Iterator[Finding]:
    """Whether both say the same."""
    told = evidence.manifest.get("cloudwatch")
    if not told:
        return
    if told.get("error"):
        yield Finding(NOTE, "second witness", WitnessSilent(str(told["error"]).rstrip(".")))
    for each in witnessed([found.cell for found in evidence.results], told):
        if not each.differs or each.theirs is None:
            continue
        if each.figure == "ttft_s":
            yield Finding(NOTE, "second witness", WitnessWaits(each.model, each.ours, each.theirs))
        else:
            grave = WARNING if each.theirs < each.ours else NOTE
            message = WitnessDiffers(each.model, WORDS[each.figure], round(each.ours), round(each.theirs))
            yield Finding(grave, "second witness", message)


CHECKS = (second_witness,)
