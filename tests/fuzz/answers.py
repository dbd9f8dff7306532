"""Answers of every API, malformed: the request is one row with a word of the closed list, whatever was sent."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from fmbench.bedrock.faults import Fault
from fmbench.core.failures import FailureKind
from fmbench.core.records import Exchange, Record, complete
from fmbench.storage.journal import _as_json
from tests.bedrock import by_hand
from tests.bedrock.asking import SALT
from tests.bedrock.reading import CLAUDE, FAMILIES, Reading, _FromBytes
from tests.fuzz.mutation import Mutator

Json = dict[str, Any]
USAGE = {"inputTokens": 13, "outputTokens": 3, "totalTokens": 16, "cacheReadInputTokens": 2, "cacheDetails": [{"ttl": "1h"}]}
CONVERSE: Json = {
    "output": {
        "message": {"role": "assistant", "content": [{"text": "One"}, {"reasoningContent": {"reasoningText": {"text": "h"}}}]}
    },
    "stopReason": "end_turn",
    "usage": USAGE,
    "metrics": {"latencyMs": 522},
    "serviceTier": {"type": "flex"},
    "trace": {"promptRouter": {"invokedModelId": "m"}},
}
CONVERSE_EVENTS: list[tuple[str, Json]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockStart", {"start": {"toolUse": {"name": "t", "toolUseId": "1"}}, "contentBlockIndex": 0}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "One"}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": "{}"}}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 522}, "serviceTier": {"type": "flex"}}),
]
METRICS = {"inputTokenCount": 9, "outputTokenCount": 3, "invocationLatency": 20, "firstByteLatency": 5}
INVOKE: dict[str, Json] = {
    "anthropic": {
        "content": [{"type": "text", "text": "One"}, {"type": "thinking", "thinking": "h"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "output_tokens": 3, "cache_creation": {"ephemeral_1h_input_tokens": 1}},
    },
    "nova": {"output": {"message": {"content": [{"text": "One"}]}}, "stopReason": "end_turn", "usage": USAGE},
    "llama": {"generation": "One", "prompt_token_count": 9, "generation_token_count": 3, "stop_reason": "stop"},
    "mistral": {
        "choices": [{"message": {"content": "One"}, "finish_reason": "stop"}],
        "outputs": [{"text": "One", "stop_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3},
    },
    "titan": {"inputTextTokenCount": 9, "results": [{"tokenCount": 3, "outputText": "One", "completionReason": "FINISH"}]},
    "cohere": {
        "text": "One",
        "finish_reason": "COMPLETE",
        "meta": {"billed_units": {"input_tokens": 9, "output_tokens": 3}},
    },
    "ai21": {
        "choices": [{"message": {"content": "One"}, "delta": {"content": "One"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3},
    },
}
CHUNKS: dict[str, list[Json]] = {
    "anthropic": [
        {"type": "message_start", "message": {"usage": {"input_tokens": 9}}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "One"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": METRICS},
    ],
    "nova": [
        {"contentBlockDelta": {"delta": {"text": "One"}}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": USAGE}, "amazon-bedrock-invocationMetrics": METRICS},
    ],
}
EVENTS: dict[str, list[Json]] = {
    "messages": CHUNKS["anthropic"],
    "responses": [
        {"type": "response.created", "response": {"status": "in_progress", "service_tier": "auto"}},
        {"type": "response.reasoning_text.delta", "delta": "hm"},
        {"type": "response.output_text.delta", "delta": "One"},
        {
            "type": "response.completed",
            "response": {
                "status": "completed",
                "incomplete_details": None,
                "output": [{"type": "message", "content": [{"type": "output_text", "text": "One"}]}],
                "usage": {"input_tokens": 9, "output_tokens": 6, "input_tokens_details": {"cached_tokens": 1}},
            },
        },
    ],
    "chat": [
        {"choices": [{"delta": {"role": "assistant", "content": "One"}, "index": 0, "finish_reason": None}]},
        {"choices": [{"delta": {"reasoning_content": "hm"}, "index": 0}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 6, "prompt_tokens_details": {"cached_tokens": 1}}},
    ],
}
WHOLE: dict[str, Json] = {
    "messages-whole": INVOKE["anthropic"],
    "responses-whole": EVENTS["responses"][3]["response"],
    "chat-whole": {
        "choices": [{"message": {"role": "assistant", "content": "One"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 6},
        "service_tier": "flex",
    },
}
MODELS = {"messages": CLAUDE, "responses": "us.openai.gpt-6-sol", "chat": "openai.gpt-oss-20b-1:0"}
ERRORS: list[Json] = [
    {"message": "Too many tokens, please wait before trying again.", "__type": "ThrottlingException"},
    {"error": {"message": "no", "type": "rate_limit_error", "code": "429"}, "type": "error"},
    {"Message": "no", "code": 5},
]
STATUSES = ("400 B", "403 F", "404 N", "407 P", "408 T", "424 F", "429 M", "500 I", "502 B", "503 U", "301 R", "204 N", "200 OK")


class Unsigned(_FromBytes):
    """A call from bytes that is not even signed: for very many of them."""

    def _signed(self, body: bytes) -> bytes:
        return body

    def _fault_of(self, error: Exception) -> Fault | None:
        fault = super()._fault_of(error)
        if fault is not None and fault.kind is FailureKind.UNKNOWN:
            raise AssertionError(f"no word for {type(error).__name__}: {error}") from error
        return fault


def dumped(value: Any) -> bytes:
    """JSON as foreign programs may write it: NaN, half characters and all."""
    try:
        return json.dumps(value).encode()
    except RecursionError:
        return b"[" * 3000 + b"]" * 3000


def frame(name: str, content: Any) -> bytes:
    """An event frame, sound in its lengths and checksums."""
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return by_hand.frame(headers, dumped(content))


class Answers:
    """Malformed answers of one API (and family), read."""

    def __init__(self, api: str, model: str, make: Callable[[Mutator], bytes], keep_text: bool) -> None:
        self._reading = Reading(api, model, keep_text)
        self._make = make

    def make(self, mutator: Mutator) -> bytes:
        """An answer."""
        if mutator.random.random() < 0.1:
            return self._refusal(mutator)
        return mutator.bytes(self._make(mutator)) if mutator.random.random() < 0.4 else self._make(mutator)

    def _refusal(self, mutator: Mutator) -> bytes:
        chance = mutator.random
        body = dumped(mutator.json(chance.choice(ERRORS)))
        if chance.random() < 0.3:
            body = mutator.bytes(body)
        kind = chance.choice(("ThrottlingException", "X" * 300, "", "ValidationException:http://x", "\x1b[2J"))
        media = chance.choice(("application/json", "text/html", "text/event-stream", by_hand.STREAM, ""))
        return by_hand.counted(body, chance.choice(STATUSES), media, x_amzn_ErrorType=kind)

    def read(self, pieces: list[bytes]) -> None:
        """Raises ``AssertionError`` for what is no row with a word of the list."""
        caller = self._reading.caller
        call = Unsigned(caller, caller._connections, self._reading.prepared)
        call.pieces = pieces
        check(call.run(SALT))


def check(exchange: Exchange) -> None:
    """It can be a row of every file, and its fault has a name."""
    assert exchange.message is None or (exchange.message.isprintable() and len(exchange.message) <= 600)
    for word in (exchange.stop_reason, exchange.service_tier, exchange.latency_mode, exchange.request_id):
        assert word is None or (isinstance(word, str) and word.isprintable() and len(word) <= 200), word
    for number in (exchange.usage.input_tokens, exchange.usage.output_tokens, exchange.usage.cache_read_tokens):
        assert number is None or (type(number) is int and 0 <= number < 2**31), number
    where = {"model": "m", "model_id": "m", "api": "a", "dataset": "d", "bucket": "en_1-2", "concurrency": 1}
    cell = {"cell": 0, "block": 0, "phase": "measure", "task": "t", "prompt_id": "p"}
    record = complete(Record(run_id="r", worker="l", user=0, seq=0, **where, **cell), exchange, 0)
    _as_json(record)


def _chunks(mutator: Mutator, contents: list[Json]) -> bytes:
    changed = mutator.json(contents)
    chunks = [mutator.json(_chunk(content)) for content in changed] if isinstance(changed, list) else [changed]
    return by_hand.streamed([frame("chunk", chunk) for chunk in chunks])


def _sse(mutator: Mutator, events: list[Json]) -> bytes:
    lines = []
    changed = mutator.json(events)
    for content in changed if isinstance(changed, list) else [changed]:
        kind = content.get("type") if isinstance(content, dict) else None
        name = f"event: {kind}\n".encode("utf-8", "replace") if isinstance(kind, str) else b""
        lines.append(name + b"data: " + dumped(content) + b"\n\n")
    return by_hand.counted(b"".join(lines), content_type="text/event-stream")


def _converse_stream_events(mutator: Mutator) -> bytes:
    chance = mutator.random
    frames = []
    for name, content in CONVERSE_EVENTS:
        if chance.random() < 0.1:
            continue
        changed = mutator.json(content) if chance.random() < 0.4 else content
        frames += [frame(name, changed)] * (2 if chance.random() < 0.05 else 1)
    if chance.random() < 0.1:
        frames.insert(chance.randrange(len(frames) + 1), by_hand.exception("throttlingException", "slow"))
    if chance.random() < 0.1:
        chance.shuffle(frames)
    return by_hand.streamed(frames)


def _chunk(content: Any) -> Any:
    return {"bytes": b64encode(dumped(content)).decode()}


def all_answers() -> dict[str, Answers]:
    """A target an API, and a family of InvokeModel."""
    found = {
        "converse-stream": Answers("converse-stream", FAMILIES["nova"], _converse_stream_events, False),
        "converse-stream kept": Answers("converse-stream", FAMILIES["nova"], _converse_stream_events, True),
        "converse": Answers("converse", FAMILIES["nova"], lambda m: by_hand.counted(dumped(m.json(CONVERSE))), True),
    }
    for name, model in FAMILIES.items():
        body, chunks = INVOKE[name], CHUNKS.get(name, [INVOKE[name], {"amazon-bedrock-invocationMetrics": METRICS}])
        found[f"invoke {name}"] = Answers(
            "invoke",
            model,
            lambda m, body=body: by_hand.counted(dumped(m.json(body))),  # type: ignore[misc]
            True,
        )
        found[f"invoke-stream {name}"] = Answers(
            "invoke-stream",
            model,
            lambda m, chunks=chunks: _chunks(m, chunks),  # type: ignore[misc]
            False,
        )
    for api, model in MODELS.items():
        events = EVENTS[api]
        found[api] = Answers(api, model, lambda m, events=events: _sse(m, events), False)  # type: ignore[misc]
        body = WHOLE[f"{api}-whole"]
        found[f"{api}-whole"] = Answers(
            f"{api}-whole",
            model,
            lambda m, body=body: by_hand.counted(dumped(m.json(body))),  # type: ignore[misc]
            True,
        )
    return found
