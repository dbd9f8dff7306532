"""Errors as OpenAI's and Anthropic's APIs tell them: in ``error``, in any of the shapes that it comes in."""

from __future__ import annotations

from typing import Any

from fmbench.bedrock import faults
from fmbench.bedrock.faults import Fault
from fmbench.bedrock.texts import says_throttled
from fmbench.core.failures import FailureKind

Json = dict[str, Any]

_AS_AWS = {
    "rate_limit_error": "ThrottlingException",
    "rate_limit_exceeded": "ThrottlingException",
    "too_many_requests": "ThrottlingException",
    "tokens": "ThrottlingException",
    "requests": "ThrottlingException",
    "insufficient_quota": "ServiceQuotaExceededException",
    "overloaded_error": "ServiceUnavailableException",
    "overloaded": "ServiceUnavailableException",
    "server_overloaded": "ServiceUnavailableException",
    "service_unavailable": "ServiceUnavailableException",
    "service_unavailable_error": "ServiceUnavailableException",
    "api_error": "InternalServerException",
    "server_error": "InternalServerException",
    "internal_error": "InternalServerException",
    "internal_server_error": "InternalServerException",
    "timeout_error": "ModelTimeoutException",
    "timeout": "ModelTimeoutException",
    "request_timeout": "ModelTimeoutException",
    "authentication_error": "UnrecognizedClientException",
    "permission_error": "AccessDeniedException",
    "permission_denied": "AccessDeniedException",
    "permission_denied_error": "AccessDeniedException",
    "access_denied": "AccessDeniedException",
    "billing_error": "AccessDeniedException",
    "invalid_api_key": "UnrecognizedClientException",
    "expired_api_key": "ExpiredApiKeyException",
    "api_key_expired": "ExpiredApiKeyException",
    "token_expired": "ExpiredApiKeyException",
    "not_found_error": "ResourceNotFoundException",
    "model_not_found": "ResourceNotFoundException",
    "context_length_exceeded": "TooLongException",
    "request_too_large": "TooLongException",
    "string_above_max_length": "TooLongException",
    "invalid_prompt": "ValidationException",
}
_VAGUE = {"invalid_request_error": "ValidationException", "bad_request": "ValidationException"}
"""What is said beside every 4xx status: the status tells more, where there is one."""


def told(body: Json) -> tuple[tuple[str, ...], str] | None:
    """(codes and types, the most telling first, message) of a body with an ``error``; None when it has none."""
    error = body.get("error")
    if not error:
        return None
    if not isinstance(error, dict):
        return (), _text(error)
    codes = [error.get("code"), error.get("type"), error.get("status"), body.get("code")]
    return tuple(str(code) for code in codes if isinstance(code, (str, int)) and code != ""), _text(error.get("message"))


def _text(value: Any, depth: int = 3) -> str:
    """A message, which may be structured: of one that is nested deeper than anybody does, nothing."""
    if isinstance(value, dict) and (inner := value.get("message") or value.get("detail")) is not None and depth:
        return _text(inner, depth - 1)
    try:
        return "" if value is None else str(value)
    except RecursionError:
        return ""


def fault_of_answer(status: int, body: Json) -> Fault | None:
    """The fault that an HTTP error answer with this body stands for; None when the body has no ``error``."""
    found = told(body)
    if found is None:
        return None
    codes, message = found
    return faults.of_error_answer(status, _aws_code(codes, _AS_AWS), message or ", ".join(codes))


def fault_of_event(body: Json, name: str) -> Fault | None:
    """The fault that an event of this name stands for, as OpenAI, Anthropic or AWS tell it; None for an event that is none."""
    if not body.get("error") and "error" in (body.get("object"), body.get("type")):
        return fault_in_stream({"error": body})
    if name == "error" or body.get("error") or name.lower().endswith("exception"):
        return fault_in_stream(body, name)
    kind = body.get("__type")
    if isinstance(kind, str):
        return faults.of_stream_exception(kind, _text(body.get("message") or body.get("Message")))
    for key, value in body.items() if len(body) == 1 else ():
        if key.endswith("Exception"):
            return faults.of_stream_exception(key, _text(value))
    return None


def fault_in_stream(body: Json, name: str = "") -> Fault:
    """The fault that an error event stands for; ``name`` is the event's own."""
    codes, message = told(body) or ((str(body.get("code") or ""), name), _text(body.get("message")))
    fault = faults.of_stream_exception(_aws_code(codes, _AS_AWS | _VAGUE) or (codes[0] if codes else ""), message)
    status = next((int(code) for code in codes if code.isascii() and code.isdigit() and len(code) == 3), None)
    if fault.kind is FailureKind.UNKNOWN and status is None and says_throttled(message):
        return Fault(FailureKind.THROTTLED_IN_STREAM, message)
    if fault.kind is not FailureKind.UNKNOWN or status is None:
        return fault
    kind = faults.of_error_answer(status, "", message).kind
    return faults.of_stream_exception("ThrottlingException", message) if status == 429 else Fault(kind, message)


def _aws_code(codes: tuple[str, ...], known: dict[str, str]) -> str:
    """The first code that is known, in AWS's words; a code that is AWS's own is itself."""
    for code in codes:
        if code in known:
            return known[code]
        if code.endswith("Exception"):
            return code
    return ""
