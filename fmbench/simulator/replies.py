"""Answers in the words of the four APIs, as recorded from AWS: headers, order of events, unmodelled extras."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

from fmbench.simulator import frames, http
from fmbench.simulator.errors import ServiceError
from fmbench.simulator.families.base import Family
from fmbench.simulator.generation import Generation
from fmbench.simulator.script import Ending, Script, Spent, at_once

Json = dict[str, Any]

_EVENT_STREAM = "application/vnd.amazon.eventstream"
_JSON = "application/json"
_CORAL = "http://internal.amazon.com/coral/com.amazon.bedrock/"

_USAGE_KEYS = frozenset(
    {
        "usage",
        "meta",
        "prompt_token_count",
        "generation_token_count",
        "inputTextTokenCount",
        "tokenCount",
        "totalOutputTextTokenCount",
    }
)
"""Where the families' bodies tell token counts."""


def error(problem: ServiceError, request_id: str, ending: Ending = Ending.KEEP) -> Script:
    """An error before any content, as AWS shapes it."""
    headers = {
        "x-amzn-requestid": request_id,
        "x-amzn-errortype": f"{problem.code}:{_CORAL}",
        "content-type": _JSON,
    }
    data = http.answer(problem.status, headers, orjson.dumps(problem.content))
    return at_once(data, status=problem.status, error=problem.code, ending=ending)


def count_tokens(tokens: int, request_id: str) -> Script:
    """A CountTokens answer."""
    data = http.answer(200, _headers(request_id, _JSON), orjson.dumps({"inputTokens": tokens}))
    script = at_once(data, status=200, error=None)
    script.whole = True
    return script


def converse(generation: Generation) -> Script:
    """A Converse answer."""
    headers = _headers(generation.request_id, generation.content_type or _JSON)
    content: list[Json] = [{"text": generation.text}] if generation.text or not generation.reasoning else []
    if generation.reasoning:
        content.insert(0, {"reasoningContent": {"reasoningText": {"text": generation.reasoning}}})

    def tail(spent: Spent) -> bytes:
        body = {
            "metrics": {"latencyMs": spent.total_ms},
            "output": {"message": {"content": content, "role": "assistant"}},
            "stopReason": generation.stop_reason,
            **_as_served(generation),
            **({"usage": _usage(generation)} if generation.tells_usage else {}),
        }
        return http.answer(200, headers, orjson.dumps(body))

    return _silent(generation, tail)


def converse_stream(generation: Generation) -> Script:
    """A ConverseStream answer: messageStart, deltas, contentBlockStop, messageStop, metadata."""
    head = _stream_head(generation) + frames.event("messageStart", {"role": "assistant"})
    text_block = 1 if generation.thought else 0
    events = [_delta("reasoning", 0, piece) for piece in generation.thought_pieces]
    said = [_delta("text", text_block, piece) for piece in generation.said_pieces]
    if events and said:
        said[0] = _block_stop(0) + said[0]
    events += said
    last_block = text_block if said else 0

    def tail(spent: Spent) -> bytes:
        stop = frames.event("messageStop", {"stopReason": generation.stop_reason}) if generation.tells_stop else b""
        metadata = _metadata(generation, spent) if generation.tells_usage else b""
        return _block_stop(last_block) + stop + metadata + frames.LAST_CHUNK

    return Script(status=200, head=head, events=events, tail=tail, tells_usage=generation.tells_usage)


def invoke(generation: Generation, family: Family) -> Script:
    """An InvokeModel answer in the family's body shape, with Bedrock's token-count headers."""
    body: Json = {**family.whole(generation), **told_guardrail(generation)}
    content = orjson.dumps(body if generation.tells_usage else without_usage(body))

    def tail(spent: Spent) -> bytes:
        headers = _headers(generation.request_id, generation.content_type or _JSON) | _served_headers(generation)
        headers["x-amzn-bedrock-invocation-latency"] = str(spent.total_ms)
        return http.answer(200, headers | (_count_headers(generation) if generation.tells_usage else {}), content)

    return _silent(generation, tail)


def invoke_stream(generation: Generation, family: Family) -> Script:
    """An InvokeModelWithResponseStream answer: the family's own parts, the metrics of the invocation in the last."""
    opening = [_told(generation, part) for part in family.opening(generation)]
    head = _stream_head(generation) + b"".join(map(frames.body_part, opening))

    def tail(spent: Spent) -> bytes:
        if not generation.tells_stop:
            return frames.LAST_CHUNK
        closing = [_told(generation, part) for part in family.closing(generation)]
        closing[-1] |= told_guardrail(generation)
        if generation.tells_usage:
            closing[-1]["amazon-bedrock-invocationMetrics"] = _metrics(generation, spent)
        return b"".join(map(frames.body_part, closing)) + frames.LAST_CHUNK

    tells = generation.tells_usage and generation.tells_stop
    return Script(status=200, head=head, events=family.events(generation), tail=tail, tells_usage=tells)


def _silent(generation: Generation, tail: Callable[[Spent], bytes]) -> Script:
    tokens = max(generation.output_tokens, 1)
    return Script(status=200, tail=tail, silent_tokens=tokens, tells_usage=generation.tells_usage)


def _headers(request_id: str, content_type: str) -> dict[str, str]:
    return {"x-amzn-requestid": request_id, "content-type": content_type}


def _stream_head(generation: Generation) -> bytes:
    headers = _headers(generation.request_id, generation.content_type or _EVENT_STREAM)
    headers |= {"transfer-encoding": "chunked", "x-amzn-bedrock-content-type": _JSON}
    return http.head(200, headers | _served_headers(generation))


def _served_headers(generation: Generation) -> dict[str, str]:
    named = {"performanceconfig-latency": generation.latency, "service-tier": generation.tier}
    return {f"x-amzn-bedrock-{name}": value for name, value in named.items() if value}


def _count_headers(generation: Generation) -> dict[str, str]:
    counts = {
        "input": generation.input_tokens,
        "output": generation.output_tokens,
        "cache-read-input": generation.cache_read_tokens,
        "cache-write-input": generation.cache_write_tokens,
    }
    return {f"x-amzn-bedrock-{name}-token-count": str(count) for name, count in counts.items() if count is not None}


@lru_cache(maxsize=65_536)
def _delta(kind: str, index: int, piece: str) -> bytes:
    text: Json = {"text": piece}
    delta = text if kind == "text" else {"reasoningContent": text}
    return frames.event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})


@lru_cache(maxsize=8)
def _block_stop(index: int) -> bytes:
    return frames.event("contentBlockStop", {"contentBlockIndex": index})


def _metadata(generation: Generation, spent: Spent) -> bytes:
    content = {"metrics": {"latencyMs": spent.total_ms}, "usage": _usage(generation), **_as_served(generation)}
    return frames.event("metadata", content)


def _as_served(generation: Generation) -> Json:
    served: Json = {}
    if generation.latency:
        served["performanceConfig"] = {"latency": generation.latency}
    if generation.tier:
        served["serviceTier"] = {"type": generation.tier}
    if generation.invoked_model:
        served["trace"] = {"promptRouter": {"invokedModelId": generation.invoked_model}}
    return served


def _usage(generation: Generation) -> Json:
    usage: Json = {
        "inputTokens": generation.input_tokens,
        "outputTokens": generation.output_tokens,
        "serverToolUsage": {},
        "totalTokens": generation.prompt_tokens + generation.output_tokens,
    }
    if generation.cache_read_tokens is not None:
        read, written = generation.cache_read_tokens, generation.cache_write_tokens
        usage |= {"cacheReadInputTokenCount": read, "cacheReadInputTokens": read}
        usage |= {"cacheWriteInputTokenCount": written, "cacheWriteInputTokens": written}
    if generation.cache_write_tokens:
        hour = generation.cache_write_1h_tokens
        lifetimes = (("1h", hour), ("5m", generation.cache_write_tokens - hour))
        usage["cacheDetails"] = [{"ttl": ttl, "inputTokens": tokens} for ttl, tokens in lifetimes if tokens]
    return usage


def _metrics(generation: Generation, spent: Spent) -> Json:
    metrics: Json = {
        "inputTokenCount": generation.input_tokens,
        "outputTokenCount": generation.output_tokens,
        "invocationLatency": spent.total_ms,
        "firstByteLatency": spent.first_ms,
    }
    if generation.cache_read_tokens is not None:
        metrics["cacheReadInputTokenCount"] = generation.cache_read_tokens
        metrics["cacheWriteInputTokenCount"] = generation.cache_write_tokens
    return metrics


def told_guardrail(generation: Generation) -> Json:
    """What a body says when a guardrail replaced the answer."""
    return {"amazon-bedrock-guardrailAction": "INTERVENED"} if generation.stop_reason == "guardrail_intervened" else {}


def _told(generation: Generation, part: Json) -> Json:
    return part if generation.tells_usage else without_usage(part)


def without_usage(part: Json) -> Json:
    """A body without any token count."""
    return {key: _scrubbed(value) for key, value in part.items() if key not in _USAGE_KEYS}


def _scrubbed(value: Any) -> Any:
    if isinstance(value, dict):
        return without_usage(value)
    return [_scrubbed(item) for item in value] if isinstance(value, list) else value
