"""Streams as other servers write them: the same answer, whatever the framing, the spacing and the events around it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fmbench.core.failures import FailureKind as Word
from fmbench.core.records import Exchange
from tests.bedrock import by_hand
from tests.bedrock.test_foreign_events import KEPT, MODELS, READ

Json = dict[str, Any]
START = {"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}}
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
STOP = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 6}}
CHAT_USAGE = {"prompt_tokens": 9, "completion_tokens": 6}
USED = {"input_tokens": 9, "output_tokens": 6}


CITED = {"type": "content_block_delta", "delta": {"type": "citations_delta", "citation": {"cited_text": "x"}}}


def delta(text: str) -> Json:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def chunk(part: Json | None, finish: str | None = None, **more: Any) -> Json:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": part, "finish_reason": finish}], **more}


def said(text: str) -> Json:
    return {"type": "response.output_text.delta", "delta": text}


def done(kind: str = "completed", **more: Any) -> Json:
    return {"type": f"response.{kind}", "response": {"status": kind, "usage": USED, **more}}


WHOLE: dict[str, list[Json]] = {
    "messages": [START, BLOCK, delta("One"), delta(" é☃"), STOP, {"type": "message_stop"}],
    "chat": [chunk({"role": "assistant", "content": ""}), chunk({"content": "One"}), chunk({"content": " é☃"}), chunk({}, "stop"),
             {"choices": [], "usage": CHAT_USAGE}],
    "responses": [{"type": "response.created", "response": {"usage": None}}, said("One"), said(" é☃"), done()],
}  # fmt: skip


def written(
    events: list[Json],
    *,
    tight: bool = True,
    named: bool = True,
    end: str = "\n",
    gap: str = "",
    last: str = "",
    space: str = " ",
) -> bytes:
    """Events as bytes: with their names or without, any line end, and something between them and after them."""
    lines = []
    for event in events:
        data = json.dumps(event, separators=(",", ":") if tight else None, ensure_ascii=False)
        name = f"event:{space}{event['type']}{end}" if named and "type" in event else ""
        lines.append(f"{gap}{name}data:{space}{data}{end}{end}")
    return ("".join(lines) + last).encode()


def read(api: str, body: bytes, keep: bool = False, media_type: str = "text/event-stream") -> Exchange:
    return (KEPT if keep else READ)[api](by_hand.counted(body, content_type=media_type))


FRAMING: dict[str, Json] = {
    "spaces in the JSON": {"tight": False},
    "no names": {"named": False},
    "CR LF": {"end": "\r\n"},
    "CR": {"end": "\r"},
    "no space after the colon": {"space": ""},
    "comments, ids, retry": {"gap": ": hello\n\nid: 7\nretry: 10\n"},
    "pings": {"gap": 'event: ping\ndata: {"type":"ping"}\n\n'},
    "unknown events": {"gap": 'event: x.wonder\ndata: {"type":"x.wonder","n":{"delta":1}}\n\n'},
    "[DONE]": {"last": "data: [DONE]\n\n"},
    "events after the end": {"last": 'data: {"type":"x.later"}\n\n: bye\n'},
}


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("api", MODELS)
@pytest.mark.parametrize("framing", FRAMING.values(), ids=FRAMING)
def test_the_framing_makes_no_difference(api: str, framing: Json, keep: bool) -> None:
    found = read(api, written(WHOLE[api], **framing), keep, "Text/Event-Stream; charset=UTF-8")
    assert found.failure is None, found.message
    assert (found.usage.input_tokens, found.usage.output_tokens, len(found.content_ns)) == (9, 6, 2)
    assert found.text == ("One é☃" if keep else None)


@pytest.mark.parametrize("api", MODELS)
def test_data_over_several_lines_is_one_event(api: str) -> None:
    body = written(WHOLE[api], tight=False).replace(b', "', b', \ndata: "')
    found = read(api, body, keep=True)
    assert (found.failure, found.text, found.usage.output_tokens) == (None, "One é☃", 6)


@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("api", MODELS)
def test_a_last_event_without_its_empty_line_counts_where_it_is_whole(api: str, cut: int) -> None:
    body = written(WHOLE[api])
    assert read(api, body[:-cut]).failure is None
    assert read(api, body[: -cut - 5]).failure is (None if api == "chat" and body[: -cut - 5].endswith(b"}") else Word.TRUNCATED)


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ('event: throttlingException\ndata: {"message":"Too many tokens"}\n\n', Word.THROTTLED_IN_STREAM),
        ('data: {"throttlingException":{"message":"Too many tokens"}}\n\n', Word.THROTTLED_IN_STREAM),
        ('data: {"__type":"com.amazon.coral#ThrottlingException","message":"slow down"}\n\n', Word.THROTTLED_IN_STREAM),
        ('data: {"internalServerException":{"message":"m"}}\n\n', Word.INTERNAL),
        ('event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"m"}}\n\n', Word.SERVICE_UNAVAILABLE),
        ('data: {"type":"error","error":{"type":"rate_limit_error","message":"m"}}\n\n', Word.THROTTLED_IN_STREAM),
        ('data: {"object":"error","message":"m","type":"InternalServerError","code":500}\n\n', Word.INTERNAL),
        ('data: {"error":"Rate limit reached"}\n\n', Word.THROTTLED_IN_STREAM),
        ('data: {"error":{"message":"slow down","code":429}}\n\n', Word.THROTTLED_IN_STREAM),
        ('data: {"type":"error","code":"server_error","message":"m","param":null}\n\n', Word.INTERNAL),
    ],
)
@pytest.mark.parametrize("api", MODELS)
def test_an_error_after_some_content_has_its_word(api: str, told: str, word: Word) -> None:
    begun = [event for event in WHOLE[api] if event not in (STOP, WHOLE[api][-1])][:3]
    found = read(api, written(begun) + told.encode())
    assert (found.failure, len(found.content_ns) >= 1) == (word, True)


@pytest.mark.parametrize(
    ("api", "events", "counts"),
    [
        (
            "messages",
            [START, delta("One"), {**STOP, "delta": {}, "usage": {"output_tokens": 3}}, STOP, WHOLE["messages"][-1]],
            (9, 6),
        ),
        (
            "messages",
            [START, delta("One"), {**STOP, "usage": {"input_tokens": 12, "output_tokens": 6}}, WHOLE["messages"][-1]],
            (12, 6),
        ),
        ("chat", [chunk({"content": "One"}, usage=CHAT_USAGE), chunk({}, "stop", usage=CHAT_USAGE)], (9, 6)),
        ("chat", [chunk({"content": "One"}, "stop", usage=CHAT_USAGE)], (9, 6)),
        ("chat", [{"choices": [], "prompt_filter_results": []}, *WHOLE["chat"]], (9, 6)),
        ("chat", [chunk({"content": "One"}, ""), chunk(None, "stop"), WHOLE["chat"][-1]], (9, 6)),
    ],
)
def test_usage_at_the_end_only_or_in_several_events(api: str, events: list[Json], counts: tuple[int, int]) -> None:
    for keep in (False, True):
        found = read(api, written(events), keep)
        assert found.failure is None, found.message
        assert (found.usage.input_tokens, found.usage.output_tokens) == counts


PARTS = [
    ("chat", [chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]})], (1, False, True)),
    ("chat", [chunk({"content": [{"type": "text", "text": "One"}]})], (1, True, False)),
    ("chat", [chunk({"reasoning": "Hm."}), chunk({"content": "One"})], (2, True, True)),
    ("chat", [chunk({"function_call": {"name": "f", "arguments": "{}"}})], (1, False, True)),
    ("chat", [chunk({"refusal": "No."})], (1, True, False)),
    ("responses", [{"type": "response.reasoning_summary_text.delta", "delta": "Hm."}, said("One")], (2, True, True)),
    ("responses", [{"type": "response.refusal.delta", "delta": "No."}], (1, True, False)),
    ("responses", [{"type": "response.function_call_arguments.delta", "delta": "{"}], (1, False, True)),
    ("messages", [{**BLOCK, "content_block": {"type": "text", "text": "One"}}, delta(" two")], (2, True, False)),
    ("messages", [{**BLOCK, "content_block": {"type": "redacted_thinking", "data": "x"}}], (1, False, True)),
    ("messages", [delta("One"), CITED], (1, True, False)),
]  # fmt: skip


@pytest.mark.parametrize(("api", "parts", "seen"), PARTS)
def test_every_kind_of_content_is_counted_once(api: str, parts: list[Json], seen: tuple[int, bool, bool]) -> None:
    before = [START] if api == "messages" else []
    found = read(api, written([*before, *parts, *WHOLE[api][-2:]] if api != "responses" else [*parts, done()]))
    assert found.failure is None, found.message
    assert (len(found.content_ns), found.visible, found.reasoned) == seen


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        (done("incomplete", incomplete_details={"reason": "max_output_tokens"}), "max_output_tokens"),
        (done("incomplete", incomplete_details={"reason": "content_filter"}), "content_filter"),
        (done(), "completed"),
    ],
)
def test_why_a_response_ended(ended: Json, reason: str) -> None:
    found = read("responses", written([said("One"), ended]))
    assert (found.failure, found.stop_reason) == (None, reason)
