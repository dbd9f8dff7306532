"""Who signs, with what, and by which clock."""

from __future__ import annotations

from collections.abc import Iterator

from fmbench.bedrock.account import Unanswered, Why
from fmbench.bedrock.client import has_bearer_key
from fmbench.core.preflight import Found, Verdict
from fmbench.run.preflight.subject import Subject, not_told

NAME = "credentials"
SKEW_S = 240.0
"""AWS refuses signatures that are five minutes off."""
SKEW_TO_NOTE_S = 30.0


def look(subject: Subject) -> Iterator[Found]:
    """The identity behind the credentials, and how far the clock is off."""
    if has_bearer_key():
        what = "a Bedrock API key (AWS_BEARER_TOKEN_BEDROCK): requests are not signed, and the account is not asked who it is"
        yield Found(check=NAME, about="bearer key", verdict=Verdict.OK, what=what)
        return
    region = subject.region(subject.config.models[0])
    try:
        identity = subject.account(region).identity()
    except Unanswered as error:
        certain = error.why not in (Why.UNREACHABLE, Why.NOT_ALLOWED, Why.UNABLE)
        found = not_told(NAME, "identity", error, "sts:GetCallerIdentity")
        yield found if certain else Found(check=NAME, about="identity", verdict=Verdict.UNKNOWN, what=found.what, cure=found.cure)
        yield from _clock(error.clock_ahead_s)
        return
    yield Found(check=NAME, about="identity", verdict=Verdict.OK, what=f"{identity.arn}, signed with SigV4")
    yield from _clock(identity.clock_ahead_s)


def _clock(ahead: float | None) -> Iterator[Found]:
    """What the ``Date`` header of AWS's answer, or of its refusal, says of this machine's clock."""
    if ahead is None:
        return
    off = f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} AWS's"
    if abs(ahead) > SKEW_S:
        yield Found(check=NAME, about="clock", verdict=Verdict.FAILED, what=off, cure="Set the clock (chrony, ntpd).")
    elif abs(ahead) > SKEW_TO_NOTE_S:
        yield Found(check=NAME, about="clock", verdict=Verdict.WARNING, what=off, cure="Set the clock (chrony, ntpd).")
    else:
        yield Found(check=NAME, about="clock", verdict=Verdict.OK, what="within 30 s of AWS's")
