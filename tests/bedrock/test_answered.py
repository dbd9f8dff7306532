"""What a whole answer gave: text, reasoning alone, nothing, a broken piece, or what a filter left."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fmbench.core.failures import FailureKind as Word
from fmbench.core.records import Exchange, answered
from tests.bedrock import by_hand
from tests.bedrock.reading import CLAUDE, Reading

REASONING = {"reasoningContent": {"text": "Hm."}}
USAGE = {"inputTokens": 13, "outputTokens": 3, "totalTokens": 16}


def stream(stop: str, *deltas: dict[str, Any], metadata: bool = True) -> bytes:
    frames = [by_hand.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}) for delta in deltas]
    return by_hand.streamed([by_hand.START, *frames, by_hand.stop(stop), *([by_hand.metadata()] if metadata else [])])


def body(stop: str, *blocks: dict[str, Any]) -> bytes:
    output = {"message": {"role": "assistant", "content": [*blocks]}}
    return by_hand.counted(json.dumps({"output": output, "stopReason": stop, "usage": USAGE}).encode())


CASES: list[tuple[str, list[dict[str, Any]], str]] = [
    ("end_turn", [{"text": "One"}, {"text": " two"}], "text"),
    ("max_tokens", [{"text": "One"}], "text"),
    ("end_turn", [{"text": "\n\n"}, {"text": "One"}], "text"),
    ("end_turn", [], "empty"),
    ("end_turn", [{"text": ""}, {"text": " \n"}], "empty"),
    ("max_tokens", [REASONING, REASONING], "reasoning_only"),
    ("max_tokens", [REASONING, {"text": "One"}], "text"),
    ("content_filtered", [{"text": "One"}], "filtered"),
    ("malformed_model_output", [{"text": "One"}], "cut"),
    ("malformed_tool_use", [], "cut"),
    ("model_context_window_exceeded", [{"text": "One"}], "cut"),
    ("model_length", [{"text": "One"}], "cut"),  # Mistral's word for a context window that is full
    ("ERROR", [{"text": "One"}], "cut"),  # Cohere's
    ("insufficient_system_resource", [{"text": "One"}], "cut"),  # DeepSeek's
    ("ERROR_TOXIC", [{"text": "One"}], "filtered"),
    ("PROHIBITED_CONTENT", [], "filtered"),
    ("FINISH", [{"text": "One"}], "text"),  # Titan's
    ("a_word_of_tomorrow", [{"text": "One"}], "text"),
    ("stop_sequence", [], "empty"),
]


@pytest.mark.parametrize("keep_text", [False, True])
@pytest.mark.parametrize(("stop", "blocks", "word"), CASES)
def test_a_streamed_and_a_whole_answer_of_converse(keep_text: bool, stop: str, blocks: list[dict[str, Any]], word: str) -> None:
    for exchange in (
        Reading("converse-stream", keep_text=keep_text)(stream(stop, *blocks)),
        Reading("converse", keep_text=keep_text)(body(stop, *blocks)),
    ):
        assert exchange.failure is None
        assert answered(exchange) == word


def claude(**facts: Any) -> Exchange:
    whole = {"content": [], "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 2}} | facts
    return Reading("invoke", CLAUDE)(by_hand.counted(json.dumps(whole).encode()))


def test_an_answer_in_a_model_s_own_body() -> None:
    assert answered(claude(content=[{"type": "text", "text": "One"}])) == "text"
    assert answered(claude(content=[{"type": "thinking", "thinking": "Hm."}])) == "reasoning_only"
    assert answered(claude()) == "empty"
    assert answered(claude(stop_reason="refusal")) == "filtered"


def test_a_guardrail_is_a_guardrail_with_counts_and_without() -> None:
    for metadata in (True, False):
        exchange = Reading()(stream("guardrail_intervened", {"text": "Sorry."}, metadata=metadata))
        assert exchange.failure is Word.GUARDRAIL
