"""The texts that AWS and the models' makers are known to send, each with its one word, its cure, and the key that it names."""

from __future__ import annotations

import json

import pytest

from fmbench.bedrock.faults import Fault as Fault
from fmbench.bedrock.faults import in_words, of_error_answer, safe_message, skew_of, with_skew
from fmbench.bedrock.told import fault_of_answer
from fmbench.core.cures import CURES, cure_of, lies_with_the_model, parameter_named
from fmbench.core.failures import OURS
from fmbench.core.failures import FailureKind as Word
from tests.bedrock import by_hand
from tests.bedrock.reading import Reading

DENIED, VALIDATION = "AccessDeniedException", "ValidationException"
TEXTS: list[tuple[int, str, str, Word]] = [
    (400, VALIDATION, "Input is too long for requested model.", Word.TOO_LONG),
    (400, VALIDATION, "input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000", Word.TOO_LONG),
    (
        400,
        VALIDATION,
        "The model returned the following errors: prompt is too long: 213462 tokens > 200000 maximum",
        Word.TOO_LONG,
    ),
    (
        400,
        VALIDATION,
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 131000",
        Word.TOO_LONG,
    ),
    (400, VALIDATION, "Malformed input request: expected maxLength: 25000, actual: 30000, please reformat", Word.TOO_LONG),
    (400, VALIDATION, "too many total text bytes: 25000001", Word.TOO_LONG),
    (413, "", "Request Entity Too Large", Word.TOO_LONG),
    (400, VALIDATION, "The maximum tokens you requested exceeds the model limit of 4096.", Word.VALIDATION),
    (400, VALIDATION, "`temperature` is deprecated for this model.", Word.VALIDATION),
    (400, VALIDATION, "Malformed input request: #: extraneous key [top_k] is not permitted", Word.VALIDATION),
    (400, VALIDATION, "The provided model identifier is invalid.", Word.VALIDATION),
    (429, "ThrottlingException", "Too many input tokens, please wait before trying again.", Word.THROTTLED_TOKENS),
    (403, "ExpiredTokenException", "The security token included in the request is expired", Word.EXPIRED_CREDENTIALS),
    (403, DENIED, "The Security Token included in the request is Expired", Word.EXPIRED_CREDENTIALS),
    (403, DENIED, "Bearer Token has expired", Word.EXPIRED_API_KEY),
    (401, "", "API key expired", Word.EXPIRED_API_KEY),
    (403, DENIED, "Authentication failed: Please make sure your API Key is valid.", Word.UNRECOGNIZED_CLIENT),
    (403, "UnrecognizedClientException", "The security token included in the request is invalid.", Word.UNRECOGNIZED_CLIENT),
    (403, "InvalidClientTokenId", "The security token included in the request is invalid.", Word.UNRECOGNIZED_CLIENT),
    (403, "InvalidSignatureException", "The request signature we calculated does not match", Word.BAD_SIGNATURE),
    (403, "IncompleteSignature", "Authorization header requires 'Credential' parameter.", Word.BAD_SIGNATURE),
    (403, "MissingAuthenticationTokenException", "Missing Authentication Token", Word.BAD_SIGNATURE),
    (403, "InvalidSignatureException", "Signature expired: 20261127T08Z is now earlier than 20261127T09Z", Word.CLOCK_SKEW),
    (403, "InvalidSignatureException", "Signature not yet current: 20261127T09Z is still later than", Word.CLOCK_SKEW),
    (403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", Word.CLOCK_SKEW),
    (403, DENIED, "You don't have access to the model with the specified model ID.", Word.ACCESS_DENIED),
    (403, DENIED, "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModel", Word.ACCESS_DENIED),
    (407, "", "Proxy Authentication Required", Word.PROXY_REFUSED),
    (400, VALIDATION, "The number of input tokens (9000) must be less than or equal to 8192.", Word.TOO_LONG),
    (400, VALIDATION, "max tokens must be less than or equal to 8192.", Word.VALIDATION),
    (400, VALIDATION, "Request payload size exceeds the limit: 26214400 bytes.", Word.TOO_LONG),
    (
        400,
        VALIDATION,
        "Value at 'body' failed to satisfy constraint: Member must have length less than or equal to",
        Word.TOO_LONG,
    ),
    (400, VALIDATION, "Please reduce the length of the messages or completion.", Word.TOO_LONG),
    (424, "ModelErrorException", "prompt is too long: 300000 tokens > 200000 maximum", Word.TOO_LONG),
    (424, "ModelErrorException", "The system encountered an unexpected error during processing.", Word.MODEL_ERROR),
    (400, VALIDATION, "Your request contains 131200 tokens which is over the 131072 token maximum for this model", Word.TOO_LONG),
    (400, VALIDATION, "Input length of 9000 tokens is beyond the supported window", Word.TOO_LONG),
    (400, VALIDATION, "input sequence length 40123 is over 32768", Word.TOO_LONG),
    (400, VALIDATION, "Please shorten your prompt.", Word.TOO_LONG),
    (400, VALIDATION, "The max_tokens in your request is over the limit of 4096 tokens", Word.VALIDATION),
    (400, VALIDATION, "Maximum tokens in the request is above the limit of 4096", Word.VALIDATION),
    (400, VALIDATION, "The temperature of the request is above the maximum of 1", Word.VALIDATION),
    (403, "", "The request signature we calculated does not match the signature you provided.", Word.BAD_SIGNATURE),
    (403, "", "Credential should be scoped to a valid region, not 'us-west-2'.", Word.BAD_SIGNATURE),
    (403, "", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP", Word.CLOCK_SKEW),
    (403, "", "Missing Authentication Token", Word.BAD_SIGNATURE),
    (401, "", "", Word.UNRECOGNIZED_CLIENT),
    (422, "", "this prompt cannot be taken", Word.VALIDATION),
    (529, "", "Overloaded", Word.SERVICE_UNAVAILABLE),
]
AS_OTHERS_TELL: list[tuple[int, str | None, str | None, str, Word]] = [
    (400, "invalid_request_error", "context_length_exceeded", "Shorten it.", Word.TOO_LONG),
    (413, "request_too_large", None, "Request exceeds the maximum size", Word.TOO_LONG),
    (400, "invalid_request_error", "string_above_max_length", "Expected a string with maximum length 1048576", Word.TOO_LONG),
    (422, "invalid_request_error", None, "Prompt contains 140000 tokens, too large for model with 131072", Word.TOO_LONG),
    (400, "invalid_request_error", "unsupported_value", "'temperature' does not support 0 with this model.", Word.VALIDATION),
    (400, "invalid_request_error", None, "max_tokens: 100000 > 64000, which is the maximum number of output", Word.VALIDATION),
    (401, "authentication_error", None, "invalid x-api-key", Word.UNRECOGNIZED_CLIENT),
    (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.", Word.UNRECOGNIZED_CLIENT),
    (401, "authentication_error", "token_expired", "Ask for another.", Word.EXPIRED_API_KEY),
    (403, "permission_error", None, "Bedrock API key expired: please generate a new one", Word.EXPIRED_API_KEY),
    (403, "permission_denied", "access_denied", "The request signature we calculated does not match", Word.BAD_SIGNATURE),
    (403, "permission_error", None, "Your account does not have access to this model", Word.ACCESS_DENIED),
    (401, "invalid_request_error", None, "openai.gpt-6-sol is not enabled", Word.NOT_FOUND),
    (400, "invalid_request_error", None, "model `x` isn't supported on this route", Word.VALIDATION),
]


@pytest.mark.parametrize(("status", "code", "text", "word"), TEXTS, ids=[text[:40] for _, _, text, _ in TEXTS])
def test_a_refusal_has_its_own_word(status: int, code: str, text: str, word: Word) -> None:
    assert of_error_answer(status, code, text).kind is word


@pytest.mark.parametrize(
    ("status", "kind", "code", "text", "word"), AS_OTHERS_TELL, ids=[told[3][:40] for told in AS_OTHERS_TELL]
)
def test_a_refusal_by_messages_responses_and_chat_has_its_own_word(
    status: int, kind: str | None, code: str | None, text: str, word: Word
) -> None:
    fault = fault_of_answer(status, {"type": "error", "error": {"type": kind, "code": code, "message": text}})
    assert fault is not None and fault.kind is word and fault.message == text


@pytest.mark.parametrize(
    "text",
    ["model `openai.gpt-6-sol` isn't supported on this route", "The model `x` does not support the '/v1/chat/completions' API"],
)
def test_a_model_that_another_api_has_is_left_out_with_that_cure(text: str) -> None:
    assert lies_with_the_model("validation", text)
    assert "by another api" in cure_of("validation", text)
    assert "by another api" not in cure_of("validation", "The provided model identifier is invalid.")


def test_every_word_that_stops_the_run_says_what_to_do() -> None:
    assert set(CURES) >= OURS
    assert all(cure.endswith(".") for cure in CURES.values())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("`temperature` is deprecated for this model.", "temperature"),
        ("temperature and top_p cannot both be specified", "temperature"),
        ("This model does not support the topP parameter", "top_p"),
        ("This model doesn't support the stopSequences field.", "stop_sequences"),
        ("The maximum tokens you requested exceeds the model limit of 4096.", "max_tokens"),
        ("max_completion_tokens must be at least 16", "max_tokens"),
        ("This model doesn't support system messages.", "system"),
        ("The provided ServiceTier is not supported", "service_tier"),
        ("Malformed input request: #: extraneous key [top_k] is not permitted", "additional_model_request_fields"),
        ("The provided model identifier is invalid.", None),
        ("no access to attempt", None),
    ],
)
def test_the_key_that_a_refusal_names(text: str, name: str | None) -> None:
    assert parameter_named(text) == name
    assert name is None or f"inference.{name}" in cure_of("validation", text)


def test_the_clock_s_fault_says_by_how_much() -> None:
    fault = with_skew(Fault(Word.CLOCK_SKEW, "Signature expired"), "Fri, 27 Nov 2020 08:00:00 GMT")
    assert "ahead of the service's" in fault.message
    assert skew_of("yesterday") is None and skew_of("") is None
    assert in_words(-312.4) == "312 s behind"


@pytest.mark.parametrize("secret", ["http://user:hunter2@proxy:3128", "Proxy-Authorization: Basic dXNlcjpodW50ZXIy"])
def test_no_message_tells_a_proxy_s_password(secret: str) -> None:
    kept = safe_message(f"cannot reach {secret} now")
    assert "hunter2" not in kept and "dXNlcjpodW50ZXIy" not in kept


def test_a_refusal_is_over_with_its_last_byte() -> None:
    """All of it came at once: the moment of its head is that of its end, whatever was done with it afterwards."""
    body = json.dumps({"message": "Too many requests, please wait before trying again."}).encode()
    found = Reading()(by_hand.counted(body, "429 Too Many Requests", x_amzn_ErrorType="ThrottlingException"))
    assert (found.failure, found.ended_ns) == (Word.THROTTLED_REQUESTS, found.headers_ns)
