"""Bodies and chunks in the shapes that Bedrock and the makers' own services are known to send, written by hand from them."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from fmbench.core.failures import FailureKind as Word
from fmbench.core.records import Exchange
from tests.bedrock import by_hand
from tests.bedrock.reading import Reading

Json = dict[str, Any]
METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 9, "outputTokenCount": 6, "invocationLatency": 40}}
COUNTS = {"x_amzn_bedrock_input_token_count": "9", "x_amzn_bedrock_output_token_count": "6"}
CHAT_USAGE = {"usage": {"prompt_tokens": 9, "completion_tokens": 6}}


def invoked(model: str, *parts: Json) -> Exchange:
    """What is read of an InvokeModelWithResponseStream answer with these parts."""
    frames = [by_hand.event("chunk", {"bytes": b64encode(json.dumps(part).encode()).decode(), "p": "ab"}) for part in parts]
    return Reading("invoke-stream", model, keep_text=True)(by_hand.streamed(frames))


def whole(model: str, body: Json, api: str = "invoke") -> Exchange:
    """What is read of one body."""
    return Reading(api, model, keep_text=True)(by_hand.counted(json.dumps(body).encode(), **(COUNTS if api == "invoke" else {})))


def delta(text: str = "", reason: str | None = None, **more: Any) -> Json:
    return {"choices": [{"index": 0, "delta": {"content": text, **more}, "finish_reason": reason}]}


STREAMED: list[tuple[str, list[Json], str, str, int]] = [
    (
        "openai.gpt-oss-120b-1:0",
        [delta("<reasoning>Hm"), delta(".</reasoning>"), delta("One"), delta(" two"), delta("", "stop") | METRICS],
        "One two",
        "stop",
        4,
    ),
    (
        "qwen.qwen3-32b-v1:0",
        [delta("", reasoning_content="Hm."), delta("One"), delta("", "length"), {"choices": [], **CHAT_USAGE} | METRICS],
        "One",
        "length",
        2,
    ),
    (
        "us.deepseek.r1-v1:0",
        [
            {"choices": [{"index": 0, "text": "<think>\nHm.", "stop_reason": None}]},
            {"choices": [{"index": 0, "text": "</think>", "stop_reason": None}]},
            {"choices": [{"index": 0, "text": "One", "stop_reason": "stop"}]} | METRICS,
        ],
        "One",
        "stop",
        3,
    ),
    (
        "mistral.magistral-small-2509",
        [
            delta() | {"choices": [{"delta": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]}}]},
            delta("One", "stop") | METRICS,
        ],
        "One",
        "stop",
        2,
    ),
    (
        "cohere.command-text-v14",
        [{"text": " One", "is_finished": False}, {"finish_reason": "COMPLETE", "is_finished": True} | METRICS],
        " One",
        "COMPLETE",
        1,
    ),
    (
        "anthropic.claude-instant-v1",
        [
            {"completion": " One", "stop_reason": None, "stop": None},
            {"completion": "", "stop_reason": "stop_sequence", "stop": "\n\nHuman:"} | METRICS,
        ],
        " One",
        "stop_sequence",
        1,
    ),
    (
        "amazon.titan-text-express-v1",
        [
            {
                "outputText": "One",
                "index": 0,
                "totalOutputTextTokenCount": 6.0,
                "completionReason": "FINISH",
                "inputTextTokenCount": 9.0,
            }
            | METRICS
        ],
        "One",
        "FINISH",
        1,
    ),
    (
        "us.amazon.nova-2-lite-v1:0",
        [
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"delta": {"reasoningContent": {"redactedContent": "AAAA"}}, "contentBlockIndex": 0}},
            {"contentBlockDelta": {"delta": {"text": "One"}, "contentBlockIndex": 1}},
            {"messageStop": {"stopReason": "end_turn"}},
            {"metadata": {"usage": {"inputTokens": 9, "outputTokens": 6}, "metrics": {}, "trace": {}}} | METRICS,
        ],
        "One",
        "end_turn",
        2,
    ),
]


@pytest.mark.parametrize(("model", "parts", "text", "stop", "contents"), STREAMED, ids=lambda value: str(value)[:24])
def test_a_stream_in_a_model_s_own_parts(model: str, parts: list[Json], text: str, stop: str, contents: int) -> None:
    found = invoked(model, *parts)
    assert found.failure is None, found.message
    assert (found.text, found.stop_reason, len(found.content_ns)) == (text, stop, contents)
    assert (found.usage.input_tokens, found.usage.output_tokens) == (9, 6)
    assert found.first_text_ns is not None
    assert found.reasoned == (contents > 1)


WHOLE: list[tuple[str, Json, str, str]] = [
    (
        "openai.gpt-oss-20b-1:0",
        {"choices": [{"message": {"content": "<reasoning>Hm.</reasoning>One"}, "finish_reason": "stop"}], **CHAT_USAGE},
        "One",
        "stop",
    ),
    (
        "zai.glm-5",
        {"choices": [{"message": {"content": "One", "reasoning_content": "Hm."}, "finish_reason": "stop"}]},
        "One",
        "stop",
    ),
    ("writer.palmyra-x5-v1:0", {"choices": [{"message": {"content": "One"}, "finish_reason": "length"}]}, "One", "length"),
    ("us.deepseek.r1-v1:0", {"choices": [{"text": "One", "stop_reason": "length"}]}, "One", "length"),
    ("cohere.command-text-v14", {"generations": [{"text": "One", "finish_reason": "COMPLETE"}]}, "One", "COMPLETE"),
    ("ai21.j2-mid-v1", {"completions": [{"data": {"text": "One"}, "finishReason": {"reason": "endoftext"}}]}, "One", "endoftext"),
    (
        "anthropic.claude-v2:1",
        {"completion": "One", "stop_reason": "stop_sequence", "stop": "\n\nHuman:"},
        "One",
        "stop_sequence",
    ),
    (
        "amazon.titan-text-express-v1",
        {"inputTextTokenCount": 9.0, "results": [{"tokenCount": 6.0, "outputText": "One", "completionReason": "FINISH"}]},
        "One",
        "FINISH",
    ),
]


@pytest.mark.parametrize(("model", "body", "text", "stop"), WHOLE, ids=lambda value: str(value)[:24])
def test_a_whole_answer_in_a_model_s_own_body(model: str, body: Json, text: str, stop: str) -> None:
    found = whole(model, body)
    assert found.failure is None, found.message
    assert (found.text, found.stop_reason) == (text, stop)
    assert (found.usage.input_tokens, found.usage.output_tokens) == (9, 6)
    assert type(found.usage.output_tokens) is int


def chat_stream(*lines: str) -> Exchange:
    body = "".join(f"data: {line}\n\n" for line in lines).encode()
    return Reading("chat", "openai.gpt-oss-20b-1:0")(by_hand.counted(body, content_type="text/event-stream"))


def test_done_ends_a_chat_that_gives_no_finish_reason() -> None:
    said, counted = json.dumps(delta("One")), json.dumps({"choices": [], **CHAT_USAGE})
    assert chat_stream(said, counted, "[DONE]").failure is None
    assert chat_stream(said, counted).failure is Word.TRUNCATED
    assert chat_stream(said, "[DONE]").failure is Word.NO_USAGE


def test_a_whole_chat_without_a_finish_reason_is_an_answer_where_it_says_its_counts() -> None:
    body: Json = {"choices": [{"message": {"content": "One"}, "finish_reason": ""}]}
    found = whole("openai.gpt-oss-20b-1:0", body | CHAT_USAGE, "chat-whole")
    assert (found.failure, found.stop_reason, found.text) == (None, None, "One")
    assert whole("openai.gpt-oss-20b-1:0", body, "chat-whole").failure is Word.BAD_RESPONSE


def test_counts_of_a_cache_that_are_more_than_the_prompt_are_beside_it() -> None:
    usage = {"prompt_tokens": 2168, "completion_tokens": 6, "prompt_tokens_details": {"cached_tokens": 4322}}
    body = {"choices": [{"message": {"content": "One"}, "finish_reason": "stop"}], "usage": usage}
    found = whole("openai.gpt-oss-20b-1:0", body, "chat-whole")
    assert (found.usage.input_tokens, found.usage.cache_read_tokens) == (2168, 4322)


@pytest.mark.parametrize("api", ["chat-whole", "responses-whole", "messages-whole"])
def test_an_error_in_a_body_with_status_200_has_its_word(api: str) -> None:
    model = "us.anthropic.claude-haiku-5-5" if api == "messages-whole" else "us.openai.gpt-6-sol"
    assert whole(model, {"error": {"code": 429, "message": "slow down"}}, api).failure is Word.THROTTLED_IN_STREAM
    assert whole(model, {"hello": 1}, api).failure is Word.BAD_RESPONSE
