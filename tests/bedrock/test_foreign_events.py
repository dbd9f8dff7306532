"""Whatever Messages, Responses and Chat Completions say in a field: one row with a word of the closed list; their answers'
worth and their price are those by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmbench.core.failures import FailureKind as Word
from fmbench.core.prices.price import USUAL, Price, rates_of
from fmbench.core.prices.rates import Schedule
from fmbench.core.records import Exchange, answered
from tests.bedrock import by_hand
from tests.bedrock.reading import CLAUDE, Reading
from tests.bedrock.test_foreign import ODD, json_values, record_of

Json = dict[str, Any]
MODELS = {"messages": CLAUDE, "responses": "us.openai.gpt-6-sol", "chat": "openai.gpt-oss-20b-1:0"}
READ = {f"{api}{form}": Reading(f"{api}{form}", model) for api, model in MODELS.items() for form in ("", "-whole")}
KEPT = {api: Reading(api, model, keep_text=True) for api, model in MODELS.items()}
USAGE: dict[str, Json] = {
    "messages": {"input_tokens": 9, "output_tokens": 6},
    "responses": {"input_tokens": 9, "output_tokens": 6},
    "chat": {"prompt_tokens": 9, "completion_tokens": 6},
}
COUNTS = {
    "messages": ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    "responses": ("input_tokens", "output_tokens"),
    "chat": ("prompt_tokens", "completion_tokens"),
}
DETAILS = {
    "messages": (("cache_creation", "ephemeral_1h_input_tokens"), ("output_tokens_details", "thinking_tokens")),
    "responses": (("input_tokens_details", "cached_tokens"), ("output_tokens_details", "reasoning_tokens")),
    "chat": (("prompt_tokens_details", "cache_write_tokens"), ("completion_tokens_details", "reasoning_tokens")),
}
STOPS = {"messages": "end_turn", "responses": "completed", "chat": "stop"}


def sse(*events: Json) -> bytes:
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    return by_hand.counted(body, content_type="text/event-stream")


def streamed(api: str, usage: Any, stop: Any, text: str = "One", thought: str = "", tier: Any = None) -> bytes:
    """A stream of the API: reasoning and text where there are any, the stop reason, the usage."""
    if api == "messages":
        deltas = [{"type": "thinking_delta", "thinking": thought}] if thought else []
        deltas += [{"type": "text_delta", "text": text}] if text else []
        start = {"type": "message_start", "message": {"usage": {"service_tier": tier}}}
        told = [{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas]
        return sse(
            start, *told, {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": usage}, {"type": "message_stop"}
        )
    if api == "responses":
        kinds = [("reasoning_text", thought), ("output_text", text)]
        told = [{"type": f"response.{kind}.delta", "delta": words} for kind, words in kinds if words]
        return sse(*told, {"type": "response.completed", "response": {"status": stop, "usage": usage, "service_tier": tier}})
    parts = [{"reasoning_content": thought}] if thought else []
    parts += [{"content": text}] if text else []
    told = [{"choices": [{"index": 0, "delta": part, "finish_reason": None}]} for part in parts]
    return sse(*told, {"choices": [{"delta": {}, "finish_reason": stop}]}, {"choices": [], "usage": usage, "service_tier": tier})


def whole(api: str, usage: Any, stop: Any, text: str = "One", thought: str = "", tier: Any = None) -> bytes:
    facts: Json = {"usage": usage, "service_tier": tier}
    if api == "messages":
        blocks = [{"type": "thinking", "thinking": thought}] if thought else []
        facts |= {"content": [*blocks, {"type": "text", "text": text}], "stop_reason": stop}
    elif api == "responses":
        thoughts = [{"type": "reasoning", "content": [{"type": "reasoning_text", "text": thought}]}] if thought else []
        message = {"type": "message", "content": [{"type": "output_text", "text": text}]}
        facts |= {"output": [*thoughts, message], "status": stop}
    else:
        facts |= {"choices": [{"message": {"content": text, "reasoning_content": thought}, "finish_reason": stop}]}
    return by_hand.counted(json.dumps(facts).encode())


def both(api: str, **facts: Any) -> tuple[Exchange, Exchange]:
    """The same answer, streamed and whole."""
    facts = {"usage": USAGE[api], "stop": STOPS[api]} | facts
    return READ[api](streamed(api, **facts)), READ[f"{api}-whole"](whole(api, **facts))


@pytest.mark.parametrize("value", ODD, ids=str)
@pytest.mark.parametrize("api", MODELS)
def test_a_count_that_cannot_be_is_malformed(api: str, value: Any) -> None:
    usages = [USAGE[api] | {name: value} for name in COUNTS[api]]
    usages += [USAGE[api] | {name: {inner: value}} for name, inner in DETAILS[api]]
    for usage in usages:
        for exchange in both(api, usage=usage):
            assert exchange.failure is Word.MALFORMED, usage


@pytest.mark.parametrize("value", [True, "5", [5], 5], ids=str)
@pytest.mark.parametrize("api", MODELS)
def test_usage_that_is_no_object_is_malformed(api: str, value: Any) -> None:
    for exchange in both(api, usage=value):
        assert exchange.failure is Word.MALFORMED


@pytest.mark.parametrize("value", [5, {"a": 1}, ["end_turn"], True, 2**70], ids=str)
@pytest.mark.parametrize("api", MODELS)
def test_a_stop_reason_that_is_no_word_is_malformed(api: str, value: Any) -> None:
    for exchange in both(api, stop=value):
        assert exchange.failure is Word.MALFORMED


@pytest.mark.parametrize("value", [5, {"a": 1}, ["x"], True], ids=str)
@pytest.mark.parametrize("api", MODELS)
def test_a_tier_that_is_no_word_is_null_and_said(api: str, value: Any) -> None:
    for exchange in both(api, tier=value):
        assert (exchange.failure, exchange.service_tier) == (None, None)
        assert "not believed: the service tier" in (exchange.message or "")


WORTH = [
    ({"text": "One"}, "text"),
    ({"text": "One", "thought": "Hm."}, "text"),
    ({"text": "", "thought": "Hm."}, "reasoning_only"),
    ({"text": " \n", "thought": ""}, "empty"),
    ({"text": "", "thought": ""}, "empty"),
]


@pytest.mark.parametrize(("facts", "word"), WORTH)
@pytest.mark.parametrize("api", MODELS)
def test_what_an_answer_gave(api: str, facts: Json, word: str) -> None:
    kept = KEPT[api](streamed(api, USAGE[api], STOPS[api], **facts))
    for exchange in (*both(api, **facts), kept):
        assert exchange.failure is None, exchange.message
        assert answered(exchange) == word


def test_blank_text_before_text_is_text() -> None:
    for api in MODELS:
        first, second = streamed(api, USAGE[api], STOPS[api], text="\n\n"), streamed(api, USAGE[api], STOPS[api])
        events = [part for part in first.partition(b"\r\n\r\n")[2].split(b"\n\n") if part]
        others = [part for part in second.partition(b"\r\n\r\n")[2].split(b"\n\n") if part]
        at = next(index for index, event in enumerate(others) if b"One" in event)
        joined = b"\n\n".join([*events[: at + 1], *others[at:]]) + b"\n\n"
        exchange = READ[api](by_hand.counted(joined, content_type="text/event-stream"))
        assert (exchange.failure, len(exchange.content_ns), answered(exchange)) == (None, 2, "text")


def test_hidden_reasoning_that_used_up_the_tokens_is_reasoning_alone() -> None:
    usage = USAGE["responses"] | {"output_tokens_details": {"reasoning_tokens": 6}}
    for exchange in both("responses", usage=usage, text=""):
        assert answered(exchange) == "reasoning_only"


@pytest.mark.parametrize(("api", "stop"), [("messages", "refusal"), ("chat", "content_filter")])
def test_a_filtered_answer(api: str, stop: str) -> None:
    assert [answered(exchange) for exchange in both(api, stop=stop)] == ["filtered", "filtered"]


def test_what_is_written_to_a_cache_for_an_hour_is_paid_for_as_such() -> None:
    """1,000 × 3 + 2,000 × 0.3 + 2,000 × 3.75 + 1,000 × 6 + 100 × 15 = 18,600 USD for a million: $0.0186."""
    rates = {"input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75, "cache_write_1h": 6}
    price = Price(schedules={USUAL: Schedule(rates_of(rates))}, source="config")
    claude = {"input_tokens": 1000, "output_tokens": 100, "cache_read_input_tokens": 2000, "cache_creation_input_tokens": 3000}
    claude |= {"cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 2000}}  # type: ignore[dict-item]
    invoked = by_hand.counted(json.dumps({"content": [], "stop_reason": "end_turn", "usage": claude}).encode())
    details = [{"ttl": "5m", "inputTokens": 2000}, {"ttl": "1h", "inputTokens": 1000}]
    told = {"inputTokens": 1000, "outputTokens": 100, "cacheReadInputTokens": 2000, "cacheWriteInputTokens": 3000}
    frames = [*by_hand.answer_frames()[:-1], by_hand.metadata(usage=told | {"cacheDetails": details})]
    read = [*both("messages", usage=claude), Reading("invoke", CLAUDE)(invoked), Reading()(by_hand.streamed(frames))]
    for exchange in read:
        assert exchange.failure is None, exchange.message
        assert exchange.usage.cache_write_1h_tokens == 1000
        assert price.usd(exchange.usage) == pytest.approx(0.0186, abs=1e-12)


def nested(depth: int) -> bytes:
    return b'{"error":' + b'{"message":' * depth + b'"m"' + b"}" * depth + b"}"


@pytest.mark.parametrize("api", sorted(READ))
@pytest.mark.parametrize("depth", [2, 900, 1020])
def test_an_error_nested_without_end_keeps_the_word_of_its_status(api: str, depth: int) -> None:
    assert READ[api](by_hand.counted(nested(depth), "503 T")).failure is Word.SERVICE_UNAVAILABLE


WORDS = (
    "type status usage output content choices message delta error code finish_reason stop_reason service_tier response text "
    "input_tokens output_tokens prompt_tokens completion_tokens cache_creation output_tokens_details incomplete_details "
    "reason content_block summary refusal reasoning_content tool_calls prompt_tokens_details data thinking"
)
NAMES = st.sampled_from(WORDS.split(" "))
TYPES = ["message_start", "message_delta", "message_stop", "content_block_start", "content_block_delta", "error"]
TYPES += ["response.completed", "response.incomplete", "response.failed", "response.output_text.delta", "reasoning", "message"]
VALUES = json_values | st.sampled_from([*TYPES, "completed", "incomplete", "stop", "end_turn"])
INNER = st.recursive(VALUES, lambda more: st.lists(more, max_size=2) | st.dictionaries(NAMES, more, max_size=4), max_leaves=6)
BODIES = st.dictionaries(NAMES, INNER, max_size=6)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(READ)), st.lists(BODIES, min_size=1, max_size=3))
def test_every_json_body_is_a_row_that_a_journal_and_a_part_hold(api: str, bodies: list[Json]) -> None:
    wire = by_hand.counted(json.dumps(bodies[0]).encode()) if api.endswith("-whole") else sse(*bodies)
    exchange = READ[api](wire)
    assert exchange.failure is not Word.UNKNOWN or exchange.message is None or "error" in json.dumps(bodies), exchange.message
    usage = exchange.usage
    for number in (usage.input_tokens, usage.output_tokens, usage.cache_write_1h_tokens, usage.reasoning_tokens):
        assert number is None or (type(number) is int and 0 <= number < 2**31)
    json.dumps(record_of(exchange).to_dict(), allow_nan=False).encode()
