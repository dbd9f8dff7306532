"""A guardrail or a filter that stood in the way is its own outcome, on each API, with counts and without."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from fmbench.bedrock.faults import Fault, with_skew
from fmbench.core.failures import FailureKind as Word
from fmbench.core.records import answered
from tests.bedrock import by_hand
from tests.bedrock.asking import NOVA
from tests.bedrock.reading import CLAUDE, FAMILIES, Reading

SONNET, GPT, OPEN = "anthropic.claude-sonnet-4-5-20250929-v1:0", "us.openai.gpt-6-luna", "openai.gpt-oss-120b-1:0"
FLAG = {"amazon-bedrock-guardrailAction": "INTERVENED"}
TEXT = {"type": "text", "text": "Sorry."}
COUNTS = {"input_tokens": 5, "output_tokens": 7, "prompt_tokens": 5, "completion_tokens": 7}


def body(content: dict[str, Any]) -> bytes:
    return by_hand.counted(json.dumps(content).encode())


def events(*contents: dict[str, Any]) -> bytes:
    lines = b"".join(b"data: " + json.dumps(content).encode() + b"\n\n" for content in contents)
    return by_hand.head(Content_Type="text/event-stream", Transfer_Encoding="chunked") + by_hand.chunk(lines) + by_hand.LAST_CHUNK


def chunks(*contents: dict[str, Any]) -> bytes:
    encoded = [b64encode(json.dumps(content).encode()).decode() for content in contents]
    return by_hand.streamed([by_hand.event("chunk", {"bytes": each}) for each in encoded])


def choice(part: str, reason: str | None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, part: {"content": "Sorry."}, "finish_reason": reason}], **more}


def message(*last: dict[str, Any], counts: dict[str, Any], reason: str | None) -> bytes:
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Sorry."}}
    end = {"type": "message_delta", "delta": {"stop_reason": reason}, **counts}
    return events({"type": "message_start", "message": {}}, delta, end, *last)


def response(status: str, counts: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    details = None if reason is None else {"reason": reason}
    output = [{"type": "message", "content": [{"type": "output_text", "text": "Sorry."}]}]
    return {"object": "response", "status": status, "incomplete_details": details, "output": output, **counts, **more}


def answers(counts: dict[str, Any]) -> list[tuple[str, str, bytes]]:
    """(API, model, answer) of answers with these counts, or without any."""
    stop, delta = {"type": "message_stop"}, {"type": "response.output_text.delta", "delta": "Sorry."}
    done = {"type": "response.completed"}
    return [
        ("invoke", CLAUDE, body({"content": [TEXT], "stop_reason": "guardrail_intervened", **counts})),
        ("invoke", CLAUDE, body({"content": [TEXT], "stop_reason": None, **counts, **FLAG})),
        ("invoke", CLAUDE, body(FLAG)),
        ("invoke", FAMILIES["llama"], body({"generation": "Sorry.", **FLAG})),
        ("invoke", FAMILIES["titan"], body({"results": [{"outputText": "Sorry.", "completionReason": None}], **FLAG})),
        ("invoke-stream", CLAUDE, chunks(FLAG | stop)),
        ("invoke-stream", FAMILIES["llama"], chunks({"generation": "Sorry.", "stop_reason": None, **FLAG})),
        ("invoke-stream", NOVA, chunks({"messageStop": {"stopReason": "guardrail_intervened"}})),
        ("messages-whole", SONNET, body({"content": [TEXT], "stop_reason": "guardrail_intervened", **counts})),
        ("messages-whole", SONNET, body({"content": [TEXT], "stop_reason": None, **counts, **FLAG})),
        ("messages", SONNET, message(stop, counts=counts, reason="guardrail_intervened")),
        ("messages", SONNET, message(stop | FLAG, counts=counts, reason="end_turn")),
        ("chat-whole", OPEN, body(choice("message", "guardrail_intervened", **counts))),
        ("chat-whole", OPEN, body(choice("message", None, **counts, **FLAG))),
        ("chat", OPEN, events(choice("delta", "guardrail_intervened", **counts))),
        ("chat", OPEN, events(choice("delta", None), choice("delta", "stop", **counts, **FLAG))),
        ("responses-whole", GPT, body(response("completed", counts, **FLAG))),
        ("responses", GPT, events(delta, done | FLAG | {"response": response("completed", counts)})),
        ("responses", GPT, events(delta, done | {"response": response("incomplete", counts, "guardrail_intervened")})),
    ]


@pytest.mark.parametrize("counts", [{"usage": COUNTS}, {}], ids=["with counts", "without counts"])
def test_a_guardrail_that_intervened_is_told_by_its_own_word(counts: dict[str, Any]) -> None:
    for api, model, answer in answers(counts):
        assert Reading(api, model)(answer).failure is Word.GUARDRAIL, (api, answer)


def test_what_a_filter_withheld_is_no_missing_count() -> None:
    """OpenAI's shape says ``content_filter`` where a guardrail stands in the way."""
    filtered = response("incomplete", {}, "content_filter")
    for api, model, answer in [
        ("chat-whole", OPEN, body(choice("message", "content_filter"))),
        ("chat", OPEN, events(choice("delta", "content_filter"))),
        ("responses-whole", GPT, body(filtered)),
        ("responses", GPT, events({"type": "response.incomplete", "response": filtered})),
    ]:
        assert Reading(api, model)(answer).failure is Word.GUARDRAIL, (api, answer)


def test_a_refusal_in_openais_shape_is_no_good_answer() -> None:
    refused = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    part = {"content": [{"type": "refusal", "refusal": "I cannot help with that."}]}
    ended = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": COUNTS}
    output = [{"type": "message", "content": part["content"]}]
    delta = {"type": "response.refusal.delta", "delta": "I cannot."}
    done = {"type": "response.completed", "response": response("completed", {"usage": COUNTS})}
    for api, model, answer in [
        ("chat-whole", OPEN, body({"choices": [{"message": refused, "finish_reason": "stop"}], "usage": COUNTS})),
        ("chat-whole", OPEN, body({"choices": [{"message": part, "finish_reason": "stop"}], "usage": COUNTS})),
        ("chat", OPEN, events({"choices": [{"delta": refused, "finish_reason": None}]}, ended)),
        ("invoke", OPEN, body({"choices": [{"message": refused, "finish_reason": "stop"}], "usage": COUNTS})),
        ("responses-whole", GPT, body(response("completed", {"usage": COUNTS}) | {"output": output})),
        ("responses", GPT, events(delta, done)),
    ]:
        exchange = Reading(api, model)(answer)
        assert (exchange.failure, answered(exchange)) == (None, "filtered"), (api, answer)


def test_an_answer_that_is_cut_before_its_end_is_no_guardrails() -> None:
    assert Reading("invoke-stream", FAMILIES["llama"])(chunks({"generation": "So"})).failure is Word.TRUNCATED
    assert Reading("invoke", CLAUDE)(body({"content": [TEXT]})).failure is Word.BAD_RESPONSE


def test_a_signature_that_a_clock_hours_off_spoilt_is_told_by_the_clock() -> None:
    fault = with_skew(Fault(Word.BAD_SIGNATURE, "InvalidSignatureException"), "Fri, 27 Nov 2020 08:00:00 GMT")
    assert (fault.kind, "ahead of the service's" in fault.message) == (Word.CLOCK_SKEW, True)
    assert with_skew(Fault(Word.BAD_SIGNATURE, "x"), "") == Fault(Word.BAD_SIGNATURE, "x")
    assert with_skew(Fault(Word.ACCESS_DENIED, "x"), "Fri, 27 Nov 2020 08:00:00 GMT") == Fault(Word.ACCESS_DENIED, "x")
