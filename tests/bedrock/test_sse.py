"""Server-sent events from bytes cut anywhere, with any line ends; the stamp is that of the bytes that made an event whole."""

# ruff: noqa: E501
from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmbench.bedrock import told
from fmbench.bedrock.apis import api_of
from fmbench.bedrock.http1 import ResponseReader
from fmbench.bedrock.sse import EventReader, fields_of
from fmbench.config.schema import Model
from fmbench.core.failures import FailureKind
from fmbench.core.records import Exchange

EVENTS = [("", b"one"), ("named", b"two\nlines"), ("", b'{"three": "\xc3\xbc"}')]
WRITTEN = b'data: one\n\n: a comment\nevent: named\ndata: two\ndata: lines\n\n\ndata:{"three": "\xc3\xbc"}\n\n'


def read(pieces: list[bytes]) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    reader = EventReader(lambda event, now: found.append(fields_of(event)))
    for now, piece in enumerate(pieces):
        reader.content(b"xx" + piece, 2, 2 + len(piece), now)
    assert not reader.unfinished
    return [(name, data) for name, data in found if data]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@settings(max_examples=60, deadline=None)
@given(cuts=st.sets(st.integers(1, 2 * len(WRITTEN))))
def test_events_are_the_same_however_their_bytes_are_cut(line_end: bytes, cuts: set[int]) -> None:
    data = WRITTEN.replace(b"\n", line_end)
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    assert read([data[start:end] for start, end in pairwise(places)]) == EVENTS


def test_an_events_stamp_is_that_of_its_last_byte() -> None:
    stamps: list[int] = []
    reader = EventReader(lambda event, now: stamps.append(now))
    for now, piece in enumerate([b"data: a", b"\n", b"\ndata: b\n\ndata: c", b"\n\n"]):
        reader.content(piece, 0, len(piece), now)
    assert stamps == [2, 2, 3]


def test_an_event_that_has_begun_is_unfinished() -> None:
    reader = EventReader(lambda event, now: None)
    reader.content(b"data: a\n\nda", 0, 11, 0)
    assert reader.unfinished


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n"
CASES = {
    "messages": (
        b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":9,"cache_read_input_tokens":4,'
        b'"cache_creation_input_tokens":7,"cache_creation":{"ephemeral_1h_input_tokens":5,"ephemeral_5m_input_tokens":2},'
        b'"output_tokens":1,"service_tier":"priority"}}}\n\n'
        b'event: ping\ndata: {"type": "ping"}\n\n'
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"One"}}\n\n'
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}\n\n'
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" \\"2\\""}}\n\n'
        b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":6}}\n\n'
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
        ("us.anthropic.claude-opus-5-5", "end_turn", 9, 6, 4, 7, 5, None),
    ),
    "responses": (
        b'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"status":"in_progress"}}\n\n'
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"One","sequence_number":4}\n\n'
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"","sequence_number":5}\n\n'
        b'event: response.output_text.delta\ndata: {"delta": " \\"2\\"", "type": "response.output_text.delta"}\n\n'
        b'event: response.output_text.done\ndata: {"type":"response.output_text.done","text":"One \\"2\\""}\n\n'
        b'event: response.incomplete\ndata: {"type":"response.incomplete","response":{"status":"incomplete",'
        b'"incomplete_details":{"reason":"max_output_tokens"},"service_tier":"priority","usage":{"input_tokens":20,'
        b'"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":7},"output_tokens":6,'
        b'"output_tokens_details":{"reasoning_tokens":2},"total_tokens":26}}}\n\n',
        ("us.openai.gpt-6-sol", "max_output_tokens", 9, 6, 4, 7, None, 2),
    ),
    "chat": (
        b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}\n\n'
        b'data: {"choices":[{"index":0,"delta":{"content":"One"},"finish_reason":null}],"usage":null}\n\n'
        b'data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":null}],"usage":null}\n\n'
        b'data: {"choices": [{"index": 0, "delta": {"content": " \\"2\\""}, "finish_reason": null}]}\n\n'
        b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}],"service_tier":"priority"}\n\n'
        b'data: {"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":6,"total_tokens":26,'
        b'"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":7},"completion_tokens_details":{"reasoning_tokens":2}}}\n\n'
        b"data: [DONE]\n\n",
        ("openai.gpt-oss-20b-1:0", "length", 9, 6, 4, 7, None, 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("piece", [1, 50, 100_000])
@pytest.mark.parametrize("keep_text", [True, False])
@pytest.mark.parametrize("api", CASES)
def test_a_stream_by_hand(api: str, keep_text: bool, piece: int) -> None:
    wire, (model_id, stop, *counts) = CASES[api]
    exchange = Exchange(started_ns=0)
    model = Model(id=model_id, api=api)
    answer = api_of(model).answer(model)(exchange, keep_text)
    reader = ResponseReader(answer.begin)
    data = HEAD + wire
    for now, at in enumerate(range(0, len(data), piece)):
        reader.feed(data[at : at + piece], now)
    reader.end_of_input()
    assert answer.finish(reader.short) is None
    usage = exchange.usage
    told_counts = [usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens]
    assert [*told_counts, usage.cache_write_1h_tokens, usage.reasoning_tokens] == counts
    assert (exchange.stop_reason, exchange.service_tier, len(exchange.content_ns)) == (stop, "priority", 2)
    assert exchange.text == ('One "2"' if keep_text else None)


ERRORS = [
    ({"error": {"type": "overloaded_error", "message": "m"}}, "service_unavailable"),
    ({"type": "error", "error": {"type": "rate_limit_error", "message": "m"}}, "throttled_in_stream"),
    ({"error": {"type": "invalid_request_error", "message": "m"}}, "validation"),
    ({"error": {"code": "429", "type": "x", "message": "m"}}, "throttled_in_stream"),
    ({"error": {"code": 500, "message": {"detail": "m"}}}, "internal"),
    ({"error": "m"}, "unknown"),
    ({"type": "error", "code": "server_error", "message": "m"}, "internal"),
    ({"error": {"code": "rate_limit_exceeded", "message": "m"}}, "throttled_in_stream"),
]


@pytest.mark.parametrize(("body", "word"), ERRORS)
def test_errors_inside_a_stream(body: dict[str, object], word: str) -> None:
    fault = told.fault_in_stream(body)
    assert (fault.kind, fault.message) == (FailureKind(word), "m")


REFUSALS = [
    (429, {"error": {"type": "rate_limit_error", "message": "Too many tokens per day"}}, "throttled_daily"),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "m"}}, "service_unavailable"),
    (401, {"error": {"type": "invalid_request_error", "code": "invalid_api_key", "message": "m"}}, "unrecognized_client"),
    (404, {"error": {"type": "invalid_request_error", "message": "m"}}, "not_found"),
    (400, {"error": "model `x` isn't supported on this route"}, "validation"),
    (503, {"error": {"message": "m"}}, "service_unavailable"),
]


@pytest.mark.parametrize(("status", "body", "word"), REFUSALS)
def test_errors_before_any_content(status: int, body: dict[str, object], word: str) -> None:
    fault = told.fault_of_answer(status, body)
    assert fault is not None and fault.kind == FailureKind(word)


TEXTS = st.lists(
    st.sampled_from(["", "a", " ", '"', "\\", '\\"', "\n", "é", '"delta":"', '"finish_reason":null', "data: x"]), max_size=30
)
WAYS = {
    "messages": lambda n, text, odd: {"type": "content_block_delta", "index": n % 12, "delta": {"type": "text_delta", "text": text}},
    "responses": lambda n, text, odd: {
        "type": "response.output_text.delta",
        **({"sequence_number": n} if odd else {}),
        "item_id": "msg_1",
        "delta": text,
        "sequence_number": n,
        "obfuscation": "x" * (n % 5),
    },
    "chat": lambda n, text, odd: {
        "id": f"c{n // 7 if odd else 0}",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
        "usage": None,
    },
}  # fmt: skip
ENDS = {
    "messages": [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 6}}],
    "responses": [{"type": "response.completed", "response": {"status": "completed", "usage": {"output_tokens": 6}}}],
    "chat": [{"choices": [{"delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": {"completion_tokens": 6}}],
}
ENDS["messages"].append({"type": "message_stop"})


@pytest.mark.parametrize("api", WAYS)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), texts=TEXTS, odd=st.booleans(), named=st.booleans(), spaced=st.booleans())
def test_every_delta_with_text_is_stamped_whatever_the_deltas_look_like(
    api: str, data: st.DataObject, texts: list[str], odd: bool, named: bool, spaced: bool
) -> None:
    events = [*(WAYS[api](n, text, odd) for n, text in enumerate(["One", *texts], 7)), *ENDS[api]]
    separators = (", ", ": ") if spaced else (",", ":")
    lines = [json.dumps(event, separators=separators) for event in events]
    names = [f"event: {event['type']}\n" if named and "type" in event else "" for event in events]
    ends = data.draw(
        st.lists(st.sampled_from(["\n\n", "\n\n\n", "\n: x\n\n", "\r\n\r\n", "\ndata:\n\n"]), min_size=1, max_size=4)
    )
    wire = "".join(f"{name}data: {line}{ends[n % len(ends)]}" for n, (name, line) in enumerate(zip(names, lines, strict=True)))
    cuts = data.draw(st.sets(st.integers(1, max(1, len(wire) - 1)), max_size=6))
    stamped = HEAD + wire.encode()
    places = [0, *sorted(len(HEAD) + cut for cut in cuts), len(stamped)]
    model = Model(id=CASES[api][1][0], api=api)
    exchange = Exchange(started_ns=0)
    answer = api_of(model).answer(model)(exchange, False)
    reader = ResponseReader(answer.begin)
    for now, (start, end) in enumerate(pairwise(places)):
        reader.feed(stamped[start:end], now)
    reader.end_of_input()
    assert answer.finish(reader.short) is None
    assert (len(exchange.content_ns), exchange.usage.output_tokens) == (1 + sum(text != "" for text in texts), 6)
    assert exchange.content_ns == sorted(exchange.content_ns)
