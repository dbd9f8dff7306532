"""What the text of a refusal says that its error code does not: which quota is full, whose fault it is.

The texts are those that Bedrock, the models' makers and AWS's front doors are known to send.
"""

from __future__ import annotations

import re

from fmbench.core.failures import FailureKind

_THROTTLE_TEXTS = (
    (re.compile(r"\b(per|a) day\b|\bdaily\b", re.I), FailureKind.THROTTLED_DAILY),
    (re.compile(r"too many tokens|tokens per minute|token rate|token limit", re.I), FailureKind.THROTTLED_TOKENS),
    (re.compile(r"too many requests|requests per minute|request rate|request limit", re.I), FailureKind.THROTTLED_REQUESTS),
    (re.compile(r"\btokens?\b", re.I), FailureKind.THROTTLED_TOKENS),
    (re.compile(r"\brequests\b", re.I), FailureKind.THROTTLED_REQUESTS),
)

_NARROWER = (
    (
        r"signature (has )?expired|signature not yet (current|valid)|request time.*(skew|too (far|different))",
        FailureKind.CLOCK_SKEW,
    ),
    (r"(bearer|api)[ -]?(token|key)\b.*\bexpired|\bexpired\b.*\b(bearer|api)[ -]?(token|key)", FailureKind.EXPIRED_API_KEY),
    (r"\btoken\b.*\bexpired|\bexpired\b.*\btoken\b|\bcredentials?\b.*\bexpired", FailureKind.EXPIRED_CREDENTIALS),
    (
        r"security token\b.*\binvalid|\b(bearer|api)[ -]?(token|key)\b.*\b(in)?valid\b|\binvalid (bearer|api)[ -]?(token|key)",
        FailureKind.UNRECOGNIZED_CLIENT,
    ),
)
_OVERLONG = (
    r"\b(input|prompt|request|message|conversation|document)s?\b[^.]{0,40}\b(is|are|was) too (long|large|big)\b",
    r"\btoo many (total |input |prompt |text )*(bytes|tokens)\b",
    r"\btotal text bytes\b|\bmaximum (context|input|prompt)\b|\bcontext (length|limit|window|size)\b|\bexpected maxLength\b",
    r"\b(input|prompt)\b[^.]{0,60}\b(exceed|longer|larger|greater|more than)",
    r"\b(exceed\w*|longer than|larger than|greater than|more than)\b[^.]{0,60}\b(input|prompt|context)\b",
)
_NARROWER_TEXTS = tuple((re.compile(pattern, re.I | re.S), kind) for pattern, kind in _NARROWER)
_TOO_LONG = re.compile("|".join(_OVERLONG), re.I | re.S)
_TOLD = frozenset({FailureKind.ACCESS_DENIED, FailureKind.BAD_SIGNATURE, FailureKind.UNRECOGNIZED_CLIENT, FailureKind.VALIDATION})


_THROTTLED = re.compile(r"\btoo many (requests|tokens)\b|\brate (limit|exceeded)|\bthrottl", re.I)


def says_throttled(message: str) -> bool:
    """Whether a refusal without any code is that of a quota."""
    return _THROTTLED.search(message) is not None


def throttled_by(message: str) -> FailureKind:
    """Which quota a throttle's message names."""
    for pattern, kind in _THROTTLE_TEXTS:
        if pattern.search(message):
            return kind
    return FailureKind.THROTTLED


def told_by(message: str, kind: FailureKind) -> FailureKind:
    """The narrower word that a refusal's text stands for; ``kind`` itself where it says no more."""
    if kind not in _TOLD:
        return kind
    if kind is FailureKind.VALIDATION and _TOO_LONG.search(message):
        return FailureKind.TOO_LONG
    return next((narrower for pattern, narrower in _NARROWER_TEXTS if pattern.search(message)), kind)
