"""Bytes that the real Amazon Bedrock sent: our reading of them is botocore's."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.eventstream import EventStreamBuffer
from botocore.parsers import EventStreamJSONParser

from fmbench.bedrock.answers import event_of
from fmbench.bedrock.apis import api_of
from fmbench.bedrock.frames import FrameDecoder
from fmbench.bedrock.http1 import ResponseReader
from fmbench.config.schema import Model
from fmbench.core.records import Exchange
from tests.bedrock import by_hand
from tests.support.shared import BEDROCK_WIRE

pytestmark = pytest.mark.skipif(not BEDROCK_WIRE.is_dir(), reason="no recorded answers here")


def recorded(operation: str) -> list[tuple[str, dict[str, Any]]]:
    """(name, response) of every recorded call of an operation."""
    found = []
    for path in sorted(BEDROCK_WIRE.glob("*.yaml")):
        for number, interaction in enumerate(yaml.safe_load(path.read_text())["interactions"]):
            if interaction["request"]["uri"].endswith("/" + operation):
                found.append((f"{path.stem}-{number}", interaction["response"]))
    return found


def replay(response: dict[str, Any], api: str, piece: int) -> tuple[Exchange, Any]:
    """The recorded answer through our reader, in pieces; returns the exchange and the fault."""
    status = f"{response['status']['code']} {response['status']['message']}"
    content_type = response["headers"]["content-type"][0]
    if content_type == by_hand.STREAM:
        data = response["body"]["string"]
        chunks = [by_hand.chunk(data[at : at + 333]) for at in range(0, len(data), 333)]
        wire = by_hand.stream_head() + b"".join(chunks) + by_hand.LAST_CHUNK
    else:
        wire = by_hand.counted(json.dumps(response["parsed_body"]).encode(), status, content_type)
    exchange = Exchange(started_ns=0)
    model = Model(id="us.amazon.nova-micro-v1:0", api=api)
    answer = api_of(model).answer(model)(exchange, True)
    reader = ResponseReader(answer.begin)
    for now, at in enumerate(range(0, len(wire), piece)):
        reader.feed(wire[at : at + piece], now)
    assert reader.done
    return exchange, answer.finish(reader.short)


def botocore_events(data: bytes) -> list[tuple[str, dict[str, Any]]]:
    """(event type, parsed event) of a recorded stream, by botocore alone."""
    model = botocore.session.get_session().get_service_model("bedrock-runtime")
    shape = model.operation_model("ConverseStream").get_event_stream_output()
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    parser: Any = EventStreamJSONParser()
    events = [message.to_response_dict() for message in buffer]
    return [(event["headers"].get(":event-type", ""), parser.parse(event, shape)) for event in events]


def streams() -> list[Any]:
    found = [(name, response) for name, response in recorded("converse-stream") if response["status"]["code"] == 200]
    return [pytest.param(response, id=name) for name, response in found]


def test_there_is_something_to_test() -> None:
    assert len(streams()) >= 3


@pytest.mark.parametrize("response", streams())
def test_frames_are_the_ones_that_botocore_finds(response: dict[str, Any]) -> None:
    data = response["body"]["string"]
    ours: list[tuple[str, bytes]] = []
    decoder = FrameDecoder(lambda headers, payload, now: ours.append((event_of(headers, payload), payload)))
    for at in range(0, len(data), 97):
        decoder.content(data, at, min(at + 97, len(data)), 0)
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    assert ours == [(message.headers[":event-type"], message.payload) for message in buffer]
    assert not decoder.unfinished


@pytest.mark.parametrize("response", streams())
@pytest.mark.parametrize("piece", [1, 250, 1_000_000])
def test_a_recorded_stream_says_what_botocore_says(response: dict[str, Any], piece: int) -> None:
    exchange, fault = replay(response, "converse-stream", piece)
    events = botocore_events(response["body"]["string"])
    text = "".join(delta["contentBlockDelta"]["delta"].get("text", "") for name, delta in events if name == "contentBlockDelta")
    metadata = next(event["metadata"] for name, event in events if name == "metadata")
    assert fault is None
    assert exchange.text == text
    assert exchange.stop_reason == next(event["messageStop"]["stopReason"] for name, event in events if name == "messageStop")
    assert exchange.usage.input_tokens == metadata["usage"]["inputTokens"]
    assert exchange.usage.output_tokens == metadata["usage"]["outputTokens"]
    assert exchange.server_latency_s == metadata["metrics"]["latencyMs"] / 1000
    assert len(exchange.content_ns) == sum(1 for name, event in events if name == "contentBlockDelta" and has_content(event))
    assert (exchange.first_text_ns is None) is (text == "")


def has_content(event: dict[str, Any]) -> bool:
    delta = event["contentBlockDelta"]["delta"]
    if "text" in delta:
        return delta["text"] != ""
    if "reasoningContent" in delta:
        return bool(delta["reasoningContent"].get("text") or delta["reasoningContent"].get("redactedContent"))
    return True


def test_an_empty_text_delta_is_no_content() -> None:
    found = dict(recorded("converse-stream"))
    response = found["test_bedrock_model_stream_empty_text_delta-0"]
    exchange, _ = replay(response, "converse-stream", 100)
    deltas = [event for name, event in botocore_events(response["body"]["string"]) if name == "contentBlockDelta"]
    assert len(exchange.content_ns) < len(deltas)


@pytest.mark.parametrize(
    "response", [pytest.param(response, id=name) for name, response in recorded("converse") if response["status"]["code"] == 200]
)
def test_a_recorded_body_gives_its_usage_and_text(response: dict[str, Any]) -> None:
    exchange, fault = replay(response, "converse", 700)
    body = response["parsed_body"]
    assert fault is None
    assert exchange.stop_reason == body["stopReason"]
    assert exchange.usage.input_tokens == body["usage"]["inputTokens"]
    assert exchange.usage.output_tokens == body["usage"]["outputTokens"]
    assert exchange.usage.cache_read_tokens == body["usage"].get("cacheReadInputTokens")
    assert exchange.usage.cache_write_tokens == body["usage"].get("cacheWriteInputTokens")
    assert exchange.server_latency_s == body["metrics"]["latencyMs"] / 1000
    assert exchange.latency_mode == body.get("performanceConfig", {}).get("latency")
    assert exchange.service_tier == body.get("serviceTier", {}).get("type")
    assert exchange.text == "".join(block.get("text", "") for block in body["output"]["message"]["content"])
    assert exchange.first_content_ns is None and not exchange.content_ns


@pytest.mark.parametrize("api", ["converse", "converse-stream"])
def test_a_recorded_error_keeps_its_word_and_text(api: str) -> None:
    errors = [response for _, response in recorded(api) if response["status"]["code"] != 200]
    assert errors
    for response in errors:
        exchange, fault = replay(response, api, 20)
        assert fault.message == response["parsed_body"]["message"]
        assert exchange.http_status == response["status"]["code"]
        if "model identifier is invalid" in fault.message:
            assert fault.kind == "validation"
