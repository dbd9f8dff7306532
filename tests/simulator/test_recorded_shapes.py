"""What the endpoint sends has the shape of recorded answers of AWS (left out where there are none)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from botocore.eventstream import EventStreamBuffer

from fmbench.simulator import replies
from fmbench.simulator.generation import Generation
from fmbench.simulator.script import Spent
from tests.support.shared import BEDROCK_WIRE

pytestmark = pytest.mark.skipif(not BEDROCK_WIRE.is_dir(), reason="no recorded answers here")


def recorded(name: str) -> dict[str, Any]:
    """The last answer of a recording."""
    return dict(yaml.safe_load((BEDROCK_WIRE / f"{name}.yaml").read_text())["interactions"][-1]["response"])


def generation_of(**more: Any) -> Generation:
    facts = {
        "model_id": "m",
        "request_id": "r",
        "thought": [],
        "said": ["The ", "end."],
        "stop_reason": "end_turn",
        "input_tokens": 3,
    }
    return Generation(**facts | more)


def messages_of(stream: bytes) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """(headers, payload) of each message; botocore checks both checksums."""
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    return [(dict(message.headers), json.loads(message.payload)) for message in buffer]


def sent(generation: Generation) -> bytes:
    """The event-stream bytes of an answer, out of their HTTP chunks."""
    script = replies.converse_stream(generation)
    data = (script.head + b"".join(script.events) + script.tail(Spent(1, 1))).partition(b"\r\n\r\n")[2]
    stream = b""
    while data != b"0\r\n\r\n":
        size, _, rest = data.partition(b"\r\n")
        stream += rest[: int(size, 16)]
        data = rest[int(size, 16) + 2 :]
    return stream


def shape(value: Any) -> Any:
    """Members and types, without values: numbers alike."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in sorted(value.items())}
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


def kinds(stream: bytes) -> list[tuple[list[tuple[str, str]], Any]]:
    """Headers in their order and the payload's shape, repeats left out."""
    found = [(list(headers.items()), shape(payload)) for headers, payload in messages_of(stream)]
    return [kind for index, kind in enumerate(found) if kind not in found[:index]]


def test_a_stream_has_the_recorded_events():
    ours, theirs = kinds(sent(generation_of())), kinds(recorded("test_bedrock_model_stream")["body"]["string"])
    assert ours == theirs


def test_reasoning_has_the_recorded_events():
    theirs = kinds(recorded("test_bedrock_model_stream_empty_text_delta")["body"]["string"])
    ours = kinds(sent(generation_of(thought=["Hm. "])))
    delta = [kind for kind in ours if "reasoningContent" in str(kind)]
    assert delta == [kind for kind in theirs if "reasoningContent" in str(kind)] != []


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("test_bedrock_inference_profile_converse", {}),
        ("test_bedrock_model_performance_config", {"latency": "optimized"}),
        ("test_bedrock_cache_usage_includes_cache_tokens", {"cache_read_tokens": 4, "cache_write_tokens": 0}),
    ],
)
def test_an_answer_has_the_recorded_members(name, more):
    script = replies.converse(generation_of(**more))
    ours = json.loads(script.tail(Spent(1, 1)).partition(b"\r\n\r\n")[2])
    assert shape(ours) == shape(recorded(name)["parsed_body"])
