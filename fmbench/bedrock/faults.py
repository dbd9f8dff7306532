"""From what went wrong to one word of ``core.failures.FailureKind``, and a message that is safe to keep.

Sources: the service model of bedrock-runtime for the error codes, and the texts that Bedrock is known to send for throttles.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from http.client import HTTPException

import urllib3.exceptions
from urllib3.util.ssl_match_hostname import CertificateError

from fmbench.bedrock.credentials import WHAT_PROVIDERS_RAISE
from fmbench.bedrock.frames import CorruptFrame
from fmbench.bedrock.http1 import Head, NotHttp
from fmbench.bedrock.texts import throttled_by, told_by
from fmbench.core.failures import FailureKind
from fmbench.core.neutral import discreet, neutral

MAX_MESSAGE = 500


class BadResponse(Exception):
    """An answer that is sound HTTP, but not what the API answers."""

    kind = FailureKind.BAD_RESPONSE


class DeadlineReached(Exception):
    """One of our own deadlines; its ``kind`` says which."""

    def __init__(self, kind: FailureKind, seconds: float) -> None:
        super().__init__(f"nothing more was waited for after {seconds:g} s")
        self.kind = kind


SIGNATURE_LIFE_S = 300.0
"""How far a request's time may be from the service's."""


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
    code: str = ""
    """The service's own word, of an error answer."""


_BY_CODE = {
    "accessdenied": FailureKind.ACCESS_DENIED,
    "unrecognizedclient": FailureKind.UNRECOGNIZED_CLIENT,
    "invalidclienttokenid": FailureKind.UNRECOGNIZED_CLIENT,
    "invalidaccesskeyid": FailureKind.UNRECOGNIZED_CLIENT,
    "invalidapikey": FailureKind.UNRECOGNIZED_CLIENT,
    "authenticationerror": FailureKind.UNRECOGNIZED_CLIENT,
    "invalidsignature": FailureKind.BAD_SIGNATURE,
    "signaturedoesnotmatch": FailureKind.BAD_SIGNATURE,
    "missingauthenticationtoken": FailureKind.BAD_SIGNATURE,
    "incompletesignature": FailureKind.BAD_SIGNATURE,
    "requestexpired": FailureKind.CLOCK_SKEW,
    "requesttimetooskewed": FailureKind.CLOCK_SKEW,
    "requestinthefuture": FailureKind.CLOCK_SKEW,
    "notauthorized": FailureKind.ACCESS_DENIED,
    "optinrequired": FailureKind.ACCESS_DENIED,
    "expiredtoken": FailureKind.EXPIRED_CREDENTIALS,
    "expiredtokenid": FailureKind.EXPIRED_CREDENTIALS,
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
    "toolong": FailureKind.TOO_LONG,
    "expiredapikey": FailureKind.EXPIRED_API_KEY,
    "resourcenotfound": FailureKind.NOT_FOUND,
    "unknownoperation": FailureKind.NOT_FOUND,
}

_BY_STATUS = {
    400: FailureKind.VALIDATION,
    401: FailureKind.UNRECOGNIZED_CLIENT,
    403: FailureKind.ACCESS_DENIED,
    404: FailureKind.NOT_FOUND,
    407: FailureKind.PROXY_REFUSED,
    408: FailureKind.MODEL_TIMEOUT,
    413: FailureKind.TOO_LONG,
    422: FailureKind.VALIDATION,
    424: FailureKind.MODEL_ERROR,
    429: FailureKind.THROTTLED,
    500: FailureKind.INTERNAL,
    502: FailureKind.SERVICE_UNAVAILABLE,
    503: FailureKind.SERVICE_UNAVAILABLE,
    504: FailureKind.SERVICE_UNAVAILABLE,
    529: FailureKind.SERVICE_UNAVAILABLE,
}


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
    kind = told_by(message, kind)
    return Fault(kind, message or code or f"HTTP {status}", code)


def is_from_a_proxy(head: Head) -> bool:
    """Whether an error answer is a proxy's own: 407 or 511, or one that denies, and is neither JSON nor has AWS's request id."""
    if head.status in (407, 511) or head.get("proxy-authenticate"):
        return True
    aws = head.get("x-amzn-requestid") or head.get("x-amzn-errortype")
    return head.status in (401, 403, 451) and "json" not in head.content_type and not aws


def with_skew(fault: Fault, date: str) -> Fault:
    """A fault of the clock says by how much, as the answer's ``Date`` has it.

    A signature that is refused by a service whose clock is further off than signatures live is a fault of the clock, too.
    """
    skew_s = skew_of(date) if fault.kind in (FailureKind.CLOCK_SKEW, FailureKind.BAD_SIGNATURE) else None
    if skew_s is None or (fault.kind is FailureKind.BAD_SIGNATURE and abs(skew_s) <= SIGNATURE_LIFE_S):
        return fault
    said = f"{fault.message} (this machine's clock is {in_words(skew_s)} the service's)"
    return Fault(FailureKind.CLOCK_SKEW, said, fault.code)


def skew_of(date: str) -> float | None:
    """Seconds that this machine's clock is ahead of a ``Date`` header; None for a header that is no date."""
    try:
        return time.time() - parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def in_words(skew_s: float) -> str:
    """``312 s ahead of``."""
    return f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'}"


def of_stream_exception(code: str, message: str) -> Fault:
    """An exception or error frame inside a stream that began with HTTP 200."""
    kind = told_by(message, _word_for_code(code) or FailureKind.UNKNOWN)
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
        return FailureKind.EXPIRED_CREDENTIALS if isinstance(error, WHAT_PROVIDERS_RAISE) else FailureKind.UNKNOWN
    if phase is Phase.CONNECTING:
        return _word_for_connecting(error)
    if isinstance(error, TimeoutError):
        return FailureKind.TIMEOUT_FIRST_BYTE if phase is Phase.WAITING else FailureKind.TIMEOUT_BETWEEN_BYTES
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return FailureKind.TLS
    if isinstance(error, OSError):
        return FailureKind.RESET_BEFORE_RESPONSE if phase is Phase.WAITING else FailureKind.RESET_IN_STREAM
    return FailureKind.UNKNOWN


_TUNNEL_BROKE = re.compile(r"Tunnel connection failed: 50\d")
"""What a proxy says that cannot reach the endpoint."""


def _no_http(error: BaseException) -> bool:
    """Whether what a proxy answered is no HTTP: until a connection is made, nobody else is there to answer."""
    return isinstance(error, HTTPException) and not isinstance(error, OSError)


def _word_for_connecting(error: Exception) -> FailureKind:
    causes = list(_causes(error))
    if any(isinstance(cause, (urllib3.exceptions.NameResolutionError, socket.gaierror, UnicodeError)) for cause in causes):
        return FailureKind.DNS
    if any(isinstance(cause, (ssl.SSLError, CertificateError, urllib3.exceptions.SSLError)) for cause in causes):
        return FailureKind.TLS
    if any(_TUNNEL_BROKE.search(str(cause)) for cause in causes):
        return FailureKind.CONNECT
    if any("Tunnel connection failed" in str(cause) or _no_http(cause) for cause in causes):
        return FailureKind.PROXY_REFUSED
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
    (re.compile(r"//[^/@\s:]*:[^/@\s]*@"), "//[user]:[password]@"),
    (re.compile(r"(?i)\b((?:proxy-)?authorization\W{1,3}basic)\s+[A-Za-z0-9+/=]+"), r"\1 [password]"),
    (re.compile(r"(?i)\b(bearer)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 [token]"),
    (re.compile(r"(?i)(x-amz-security-token\W{1,6})[^\s'\"]+"), r"\1[token]"),
    (re.compile(r"(?i)((?:credential|signature)=)[^\s,'\"]+"), r"\1[removed]"),
    (re.compile(r"\b[A-Za-z0-9+/=_-]{100,}"), "[removed]"),
    (re.compile(r"(?<=:)\d{12}(?=:)"), "[account]"),
)
_ECHO = 24
"""So many characters in common with the prompt are an echo of it."""


def safe_message(message: str, prompt: str = "") -> str:
    """The message without secrets, account numbers and pieces of the prompt; on one line, at most 500 characters."""
    text = _without_echo(discreet(message[: 8 * MAX_MESSAGE]), prompt)
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
