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
        r"signature (has )?expired|signature not yet (current|valid)|request time.*(skew|too (far|different))"
        r"|\bdate in credential scope\b",
        FailureKind.CLOCK_SKEW,
    ),
    (
        r"\brequest signature we calculated\b|\bcredential should be scoped\b|\bmissing authentication token\b",
        FailureKind.BAD_SIGNATURE,
    ),
    (r"(bearer|api)[ -]?(token|key)\b.*\bexpired|\bexpired\b.*\b(bearer|api)[ -]?(token|key)", FailureKind.EXPIRED_API_KEY),
    (r"\btoken\b.*\bexpired|\bexpired\b.*\btoken\b|\bcredentials?\b.*\bexpired", FailureKind.EXPIRED_CREDENTIALS),
    (
        r"security token\b.*\binvalid|\b(bearer|api)[ -]?(token|key)\b.*\b(in)?valid\b"
        r"|\b(invalid|incorrect|unknown)( or \w+)? (x-)?(bearer|api)[ -]?(token|key)",
        FailureKind.UNRECOGNIZED_CLIENT,
    ),
)
_OVERLONG = (
    r"\b(input|prompt|request|message|conversation|document|text|content)s?\b[^.]{0,40}\b(is|are|was) too (long|large|big)\b",
    r"\bexpected maxLength\b|\bstring too long\b|\btoo (long|large) for (the |this )?model\b",
    r"\breduce the (length|size) of (the |your )?(messages?|prompt|input)",
    r"\btoo many (total |input |prompt |text )*(bytes|tokens)\b",
    r"\btotal text bytes\b|\bmaximum (context|input|prompt|sequence)\b|\bcontext (length|limit|window|size)\b",
    r"\b(input|prompt)\b[^.]{0,60}\b(exceed|longer|larger|greater|more than)",
    r"\b(input|inputs`?|prompt) tokens\b[^.]{0,60}\bmust be (<|less|fewer|at most|no more)",
    r"\b(payload|body)\b[^.]{0,30}\bexceed|\brequest exceeds the (maximum )?(allowed )?(size|number of bytes)",
    r"'(body|prompt|input\w*|messages[^']*)' failed to satisfy constraint: member must have length less",
    r"\b(exceed\w*|longer than|larger than|greater than|more than)\b[^.]{0,60}\b(input|prompt|context)\b",
    r"\bshorten (the|your) (input|prompt|request|messages?|conversation|text|document)\b",
    r"^(?!.*(max_?(output_?)?tokens|maximum tokens (you|in|of)))(?=.*\b(tokens?|length)\b)"
    r".*\b(input|prompt|request|messages?|conversation)\b[^.]{0,60}"
    r"\b(over|beyond|above|past)\b[^.]{0,40}(\b(maximum|limit|window|most)\b|\d{4})",
)
_NARROWER_TEXTS = tuple((re.compile(pattern, re.I | re.S), kind) for pattern, kind in _NARROWER)
_TOO_LONG = re.compile("|".join(_OVERLONG), re.I | re.S)
_TOLD = frozenset({FailureKind.ACCESS_DENIED, FailureKind.BAD_SIGNATURE, FailureKind.UNRECOGNIZED_CLIENT, FailureKind.VALIDATION})
_MAY_BE_TOO_LONG = frozenset({FailureKind.VALIDATION, FailureKind.MODEL_ERROR})
"""A model's server may refuse what the service let in."""


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


_NOT_THERE = re.compile(r"\b(is not|isn.t) enabled\b", re.I)
"""What bedrock-mantle says with 401 of a model that it has below its other path: the key is none the worse for it."""


def told_by(message: str, kind: FailureKind) -> FailureKind:
    """The narrower word that a refusal's text stands for; ``kind`` itself where it says no more."""
    if kind is FailureKind.UNRECOGNIZED_CLIENT and _NOT_THERE.search(message):
        return FailureKind.NOT_FOUND
    if kind in _MAY_BE_TOO_LONG and _TOO_LONG.search(message):
        return FailureKind.TOO_LONG
    if kind not in _TOLD:
        return kind
    return next((narrower for pattern, narrower in _NARROWER_TEXTS if pattern.search(message)), kind)
