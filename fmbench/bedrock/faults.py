"""From what went wrong to one word of ``core.failures.FailureKind``, and a message that is safe to keep.

Sources: the service model of bedrock-runtime for the error codes, and the texts that Bedrock is known to send for throttles.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

import urllib3.exceptions
from botocore.exceptions import BotoCoreError
from urllib3.util.ssl_match_hostname import CertificateError

from fmbench.bedrock.frames import CorruptFrame
from fmbench.bedrock.http1 import NotHttp
from fmbench.core.failures import FailureKind
from fmbench.core.neutral import neutral

MAX_MESSAGE = 500


class BadResponse(Exception):
    """An answer that is sound HTTP, but not what the API answers."""

    kind = FailureKind.BAD_RESPONSE


class DeadlineReached(Exception):
    """One of our own deadlines; its ``kind`` says which."""

    def __init__(self, kind: FailureKind, seconds: float) -> None:
        super().__init__(f"nothing more was waited for after {seconds:g} s")
        self.kind = kind


class Phase(Enum):
    """How far a request had come."""

    SIGNING = auto()
    CONNECTING = auto()
    WAITING = auto()
    """Sent, no answer's head yet."""
    STREAMING = auto()
    """The answer's head is here, its end is not."""


@dataclass(slots=True, frozen=True)
class Fault:
    """Why a request failed: the word, and what the service or the socket said."""

    kind: FailureKind
    message: str = ""


_BY_CODE = {
    "accessdenied": FailureKind.ACCESS_DENIED,
    "unrecognizedclient": FailureKind.ACCESS_DENIED,
    "invalidsignature": FailureKind.ACCESS_DENIED,
    "signaturedoesnotmatch": FailureKind.ACCESS_DENIED,
    "invalidclienttokenid": FailureKind.ACCESS_DENIED,
    "missingauthenticationtoken": FailureKind.ACCESS_DENIED,
    "incompletesignature": FailureKind.ACCESS_DENIED,
    "notauthorized": FailureKind.ACCESS_DENIED,
    "optinrequired": FailureKind.ACCESS_DENIED,
    "expiredtoken": FailureKind.EXPIRED_CREDENTIALS,
    "requestexpired": FailureKind.EXPIRED_CREDENTIALS,
    "throttling": FailureKind.THROTTLED,
    "throttled": FailureKind.THROTTLED,
    "toomanyrequests": FailureKind.THROTTLED_REQUESTS,
    "requestlimitexceeded": FailureKind.THROTTLED_REQUESTS,
    "servicequotaexceeded": FailureKind.QUOTA,
    "limitexceeded": FailureKind.QUOTA,
    "modelnotready": FailureKind.MODEL_NOT_READY,
    "modeltimeout": FailureKind.MODEL_TIMEOUT,
    "modelerror": FailureKind.MODEL_ERROR,
    "modelstreamerror": FailureKind.MODEL_STREAM_ERROR,
    "internalserver": FailureKind.INTERNAL,
    "internalfailure": FailureKind.INTERNAL,
    "internalservererror": FailureKind.INTERNAL,
    "serviceunavailable": FailureKind.SERVICE_UNAVAILABLE,
    "validation": FailureKind.VALIDATION,
    "validationerror": FailureKind.VALIDATION,
    "serialization": FailureKind.VALIDATION,
    "resourcenotfound": FailureKind.NOT_FOUND,
    "unknownoperation": FailureKind.NOT_FOUND,
}

_BY_STATUS = {
    400: FailureKind.VALIDATION,
    401: FailureKind.ACCESS_DENIED,
    403: FailureKind.ACCESS_DENIED,
    404: FailureKind.NOT_FOUND,
    408: FailureKind.MODEL_TIMEOUT,
    413: FailureKind.VALIDATION,
    424: FailureKind.MODEL_ERROR,
    429: FailureKind.THROTTLED,
    500: FailureKind.INTERNAL,
    502: FailureKind.SERVICE_UNAVAILABLE,
    503: FailureKind.SERVICE_UNAVAILABLE,
    504: FailureKind.SERVICE_UNAVAILABLE,
}

_THROTTLE_TEXTS = (
    (re.compile(r"\b(per|a) day\b|\bdaily\b", re.I), FailureKind.THROTTLED_DAILY),
    (re.compile(r"too many tokens|tokens per minute|token rate|token limit", re.I), FailureKind.THROTTLED_TOKENS),
    (re.compile(r"too many requests|requests per minute|request rate|request limit", re.I), FailureKind.THROTTLED_REQUESTS),
    (re.compile(r"\btokens?\b", re.I), FailureKind.THROTTLED_TOKENS),
    (re.compile(r"\brequests\b", re.I), FailureKind.THROTTLED_REQUESTS),
)


def _word_for_code(code: str) -> FailureKind | None:
    """The word for an error code in any of the spellings that AWS uses; None when it is not known."""
    bare = code.rpartition("#")[2].lower().removesuffix("exception")
    return _BY_CODE.get(bare)


def of_error_answer(status: int, code: str, message: str) -> Fault:
    """An HTTP error answer. The code decides, then the status."""
    kind = _word_for_code(code)
    if kind is None:
        kind = _BY_STATUS.get(status) or (FailureKind.BAD_RESPONSE if 200 <= status < 400 else FailureKind.UNKNOWN)
    if kind is FailureKind.THROTTLED:
        kind = throttled_by(message)
    if kind in (FailureKind.ACCESS_DENIED, FailureKind.VALIDATION) and "token" in message and "expired" in message:
        kind = FailureKind.EXPIRED_CREDENTIALS
    return Fault(kind, message or code or f"HTTP {status}")


def throttled_by(message: str) -> FailureKind:
    """Which quota a throttle's message names."""
    for pattern, kind in _THROTTLE_TEXTS:
        if pattern.search(message):
            return kind
    return FailureKind.THROTTLED


def of_stream_exception(code: str, message: str) -> Fault:
    """An exception or error frame inside a stream that began with HTTP 200."""
    kind = _word_for_code(code) or FailureKind.UNKNOWN
    if kind in (FailureKind.THROTTLED, FailureKind.THROTTLED_REQUESTS):
        kind = FailureKind.THROTTLED_IN_STREAM
    return Fault(kind, message or code)


def of_exception(error: Exception, phase: Phase) -> Fault:
    """What the network, the reader or the credentials raised while the request was in ``phase``."""
    return Fault(_word_for_exception(error, phase), f"{type(error).__name__}: {error}")


def _word_for_exception(error: Exception, phase: Phase) -> FailureKind:
    if isinstance(error, DeadlineReached):
        return error.kind
    if isinstance(error, CorruptFrame):
        return FailureKind.CORRUPT_FRAME
    if isinstance(error, BadResponse):
        return error.kind
    if isinstance(error, NotHttp):
        return FailureKind.BAD_RESPONSE
    if phase is Phase.SIGNING:
        return FailureKind.EXPIRED_CREDENTIALS if isinstance(error, BotoCoreError) else FailureKind.UNKNOWN
    if phase is Phase.CONNECTING:
        return _word_for_connecting(error)
    if isinstance(error, TimeoutError):
        return FailureKind.TIMEOUT_FIRST_BYTE if phase is Phase.WAITING else FailureKind.TIMEOUT_BETWEEN_BYTES
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return FailureKind.TLS
    if isinstance(error, OSError):
        return FailureKind.RESET_BEFORE_RESPONSE if phase is Phase.WAITING else FailureKind.RESET_IN_STREAM
    return FailureKind.UNKNOWN


def _word_for_connecting(error: Exception) -> FailureKind:
    causes = list(_causes(error))
    if any(isinstance(cause, (urllib3.exceptions.NameResolutionError, socket.gaierror, UnicodeError)) for cause in causes):
        return FailureKind.DNS
    if any(isinstance(cause, (ssl.SSLError, CertificateError, urllib3.exceptions.SSLError)) for cause in causes):
        return FailureKind.TLS
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return FailureKind.TIMEOUT_CONNECT
    if any(isinstance(cause, (urllib3.exceptions.HTTPError, OSError)) for cause in causes):
        return FailureKind.CONNECT
    return FailureKind.UNKNOWN


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


_SECRETS = (
    (re.compile(r"\b(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}\b"), "[access key]"),
    (re.compile(r"(?i)\b(bearer)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 [token]"),
    (re.compile(r"(?i)(x-amz-security-token\W{1,3})[^\s'\"]+"), r"\1[token]"),
    (re.compile(r"(?i)((?:credential|signature)=)[^\s,'\"]+"), r"\1[removed]"),
    (re.compile(r"\b[A-Za-z0-9+/=_-]{100,}"), "[removed]"),
    (re.compile(r"(?<=:)\d{12}(?=:)"), "[account]"),
)
_ECHO = 24
"""So many characters in common with the prompt are an echo of it."""


def safe_message(message: str, prompt: str = "") -> str:
    """The message without secrets, account numbers and pieces of the prompt; on one line, at most 500 characters."""
    text = _without_echo(message[: 8 * MAX_MESSAGE], prompt)
    for pattern, stand_in in _SECRETS:
        text = pattern.sub(stand_in, text)
    return neutral(" ".join(text.split()), MAX_MESSAGE)


def _without_echo(message: str, prompt: str) -> str:
    """``message`` with every run of ``_ECHO`` or more characters that the prompt holds too replaced."""
    if len(prompt) < _ECHO:
        return message.replace(prompt, "[prompt]") if len(prompt) >= 8 else message
    kept: list[str] = []
    position = 0
    while position < len(message):
        stop = position + _ECHO
        if stop > len(message) or message[position:stop] not in prompt:
            kept.append(message[position])
            position += 1
            continue
        while stop < len(message) and message[position : stop + 1] in prompt:
            stop += 1
        kept.append("[prompt]")
        position = stop
    return "".join(kept)
