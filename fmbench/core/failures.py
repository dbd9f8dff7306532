"""The closed list of ways a request can fail, and of ways the program can end.

The list is drawn by the layer at which the request died::

    network     dns  connect  tls  reset_before_response  reset_in_stream
    deadline    timeout_connect  timeout_first_byte  timeout_between_bytes  timeout_total
    admission   throttled  throttled_requests  throttled_tokens  throttled_daily  throttled_in_stream  quota
    access      access_denied  expired_credentials  expired_api_key  unrecognized_client  bad_signature  clock_skew
                proxy_refused  not_found  validation  too_long
    service     model_timeout  model_not_ready  model_error  model_stream_error  service_unavailable  internal
    generator   stalled
    answer      truncated  no_usage  corrupt_frame  bad_response  malformed  guardrail
    unknown     unknown
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class FailureKind(StrEnum):
    """One word for why a request did not give a whole answer."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    RESET_BEFORE_RESPONSE = "reset_before_response"
    RESET_IN_STREAM = "reset_in_stream"
    TIMEOUT_CONNECT = "timeout_connect"
    TIMEOUT_FIRST_BYTE = "timeout_first_byte"
    TIMEOUT_BETWEEN_BYTES = "timeout_between_bytes"
    TIMEOUT_TOTAL = "timeout_total"
    THROTTLED = "throttled"
    """A 429 whose message does not say by what."""
    THROTTLED_REQUESTS = "throttled_requests"
    THROTTLED_TOKENS = "throttled_tokens"
    THROTTLED_DAILY = "throttled_daily"
    THROTTLED_IN_STREAM = "throttled_in_stream"
    """A throttle that came inside the stream, after HTTP 200."""
    QUOTA = "quota"
    ACCESS_DENIED = "access_denied"
    EXPIRED_CREDENTIALS = "expired_credentials"
    EXPIRED_API_KEY = "expired_api_key"
    UNRECOGNIZED_CLIENT = "unrecognized_client"
    """The access key or API key is not one that the service knows."""
    BAD_SIGNATURE = "bad_signature"
    """The signature is not whole or not right: a wrong secret key, or something between changed the request."""
    CLOCK_SKEW = "clock_skew"
    """The request's time is too far from the service's: this machine's clock is wrong."""
    PROXY_REFUSED = "proxy_refused"
    """A proxy, not the service, turned the request away."""
    NOT_FOUND = "not_found"
    VALIDATION = "validation"
    TOO_LONG = "too_long"
    """The prompt, or the prompt with its answer, is longer than the model takes."""
    MODEL_TIMEOUT = "model_timeout"
    MODEL_NOT_READY = "model_not_ready"
    MODEL_ERROR = "model_error"
    MODEL_STREAM_ERROR = "model_stream_error"
    SERVICE_UNAVAILABLE = "service_unavailable"
    INTERNAL = "internal"
    TRUNCATED = "truncated"
    """The stream ended without messageStop, or the body before its length."""
    NO_USAGE = "no_usage"
    CORRUPT_FRAME = "corrupt_frame"
    BAD_RESPONSE = "bad_response"
    """HTTP 200 with a body that is not what the API answers (a proxy's HTML page, say)."""
    MALFORMED = "malformed"
    """An answer with a field that cannot be: a count that is text or negative, a stop reason that is a list."""
    STALLED = "stalled"
    """The load process itself stood still, and a deadline passed or a peer gave it up: nothing is known of the service."""
    GUARDRAIL = "guardrail"
    UNKNOWN = "unknown"


THROTTLES = frozenset(
    {
        FailureKind.THROTTLED,
        FailureKind.THROTTLED_REQUESTS,
        FailureKind.THROTTLED_TOKENS,
        FailureKind.THROTTLED_DAILY,
        FailureKind.THROTTLED_IN_STREAM,
        FailureKind.QUOTA,
    }
)
"""Failures that say that a quota is full: results of a study, never a reason to stop it."""

PERMANENT = frozenset(
    {
        FailureKind.ACCESS_DENIED,
        FailureKind.EXPIRED_CREDENTIALS,
        FailureKind.EXPIRED_API_KEY,
        FailureKind.UNRECOGNIZED_CLIENT,
        FailureKind.BAD_SIGNATURE,
        FailureKind.CLOCK_SKEW,
        FailureKind.PROXY_REFUSED,
        FailureKind.NOT_FOUND,
        FailureKind.VALIDATION,
        FailureKind.TOO_LONG,
    }
)
"""Failures that the next request of the same kind would meet again."""

OURS = frozenset(
    {
        FailureKind.EXPIRED_CREDENTIALS,
        FailureKind.EXPIRED_API_KEY,
        FailureKind.UNRECOGNIZED_CLIENT,
        FailureKind.BAD_SIGNATURE,
        FailureKind.CLOCK_SKEW,
        FailureKind.PROXY_REFUSED,
    }
)
"""Failures that lie with who asks: no model can be asked any more, none of them is held against a model, and the run stops."""

NOT_THE_MODELS = OURS | {FailureKind.STALLED}
"""Failures that say nothing of the service: a cell with one of them is measured again."""

OF_THE_PROMPT = frozenset({FailureKind.TOO_LONG, FailureKind.VALIDATION})
"""Failures that may lie in what is asked: they cost a bucket, not the model."""

UNREACHABLE = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS, FailureKind.TIMEOUT_CONNECT})
"""Failures that say that no endpoint is there at all."""

TIMEOUTS = frozenset(
    {
        FailureKind.TIMEOUT_FIRST_BYTE,
        FailureKind.TIMEOUT_BETWEEN_BYTES,
        FailureKind.TIMEOUT_TOTAL,
        FailureKind.MODEL_TIMEOUT,
    }
)
"""Failures that censor a latency: the true one is at least what was waited."""


class Outcome(StrEnum):
    """What became of a request."""

    OK = "ok"
    FAILED = "failed"
    ABANDONED = "abandoned"
    """Sent, and its end not seen: its process died, or the run was cut."""
    DROPPED = "dropped"
    """Due in an open loop, and never sent: as many requests were in flight as may be."""


class Answered(StrEnum):
    """What a whole answer gave the one who asked."""

    TEXT = "text"
    """Visible text, cut at ``max_tokens`` or not."""
    REASONING_ONLY = "reasoning_only"
    """Reasoning used up the tokens, or nothing but reasoning came."""
    EMPTY = "empty"
    CUT = "cut"
    """The model broke off: malformed output, or its context window was full."""
    FILTERED = "filtered"
    """A content filter, or the model itself, withheld the answer."""


class ExitCode(IntEnum):
    """The process's exit status (docs/cli.md)."""

    DONE = 0
    FAULT = 1
    UNUSABLE = 2
    REFUSED = 3
    STOPPED_EARLY = 4
    UNACCOUNTED = 5
    REGRESSION = 6
    NOT_VALID = 7
    INTERRUPTED = 130
    TERMINATED = 143


class FmbenchError(Exception):
    """A message for the user that ends the program: what is wrong, where, and the cure."""

    exit_code = ExitCode.FAULT


class UnusableInput(FmbenchError):
    """Arguments, configuration or prompts that cannot be used. Nothing was sent."""

    exit_code = ExitCode.UNUSABLE


class Refused(FmbenchError):
    """The run may not start: credentials, model access, budget, or an output that cannot be written."""

    exit_code = ExitCode.REFUSED


class Vanished(FmbenchError):
    """The run folder is gone in the middle of the run: what was sent is not accounted for here."""

    exit_code = ExitCode.UNACCOUNTED
