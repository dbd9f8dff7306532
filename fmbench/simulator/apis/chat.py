"""Chat Completions, which Bedrock serves below ``/openai/v1``: OpenAI's bodies, streams as server-sent events."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

import orjson

from fmbench.simulator import frames, http
from fmbench.simulator.apis.base import Api
from fmbench.simulator.asks import Ask, Json, check_ranges
from fmbench.simulator.errors import ServiceError
from fmbench.simulator.families.base import finish_word, texts_of
from fmbench.simulator.generation import Generation
from fmbench.simulator.http import Request
from fmbench.simulator.script import Script, Spent

_SYSTEM = frozenset({"system", "developer"})
_BOUNDED = ("max_tokens", "max_completion_tokens", "top_p")


def streams(body: Json) -> bool:
    """Whether the answer is asked for as a stream."""
    return body.get("stream") is True


def read(_request: Request, _model_id: str, body: Json) -> Ask:
    """A Chat Completions body; ``max_completion_tokens`` is the newer name of ``max_tokens``."""
    check_ranges({name: body.get(name) for name in _BOUNDED})
    stop = body.get("stop") or []
    return Ask(
        texts=texts_of(body, lambda role: role not in _SYSTEM),
        system=texts_of(body, lambda role: role in _SYSTEM),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        stop_sequences=[stop] if isinstance(stop, str) else list(stop),
        tier=body.get("service_tier"),
    )


def write(generation: Generation, body: Json) -> Script:
    """The answer, whole or as a stream, as ``body`` asks for it."""
    return _stream(generation, body) if streams(body) else _whole(generation)


def _whole(generation: Generation) -> Script:
    message = {"role": "assistant", "content": generation.reasoning + generation.text}
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(generation)}
    usage = {"usage": _usage(generation)} if generation.tells_usage else {}
    content = orjson.dumps(_envelope(generation, "chat.completion") | {"choices": [choice], **usage})
    headers = _headers(generation, "application/json")
    tokens = max(generation.output_tokens, 1)
    answer = http.answer(200, headers, content)
    return Script(status=200, tail=lambda _spent: answer, silent_tokens=tokens, tells_usage=generation.tells_usage)


def _stream(generation: Generation, body: Json) -> Script:
    """The role, a chunk for each piece of content, the finish reason, the usage where it was asked for, ``[DONE]``."""
    options = body.get("stream_options") or {}
    generation.tells_usage = generation.tells_usage and options.get("include_usage") is True
    envelope = _envelope(generation, "chat.completion.chunk")
    head = http.head(200, _headers(generation, "text/event-stream") | {"transfer-encoding": "chunked"})
    opening = _event(envelope | _choice({"role": "assistant", "content": ""}, None))
    before, after = _around_content(envelope)
    events = [frames.chunk(before + _quoted(piece) + after) for piece in generation.all_pieces]

    def tail(_spent: Spent) -> bytes:
        finish = _event(envelope | _choice({}, _finish_reason(generation))) if generation.tells_stop else b""
        usage = _event(envelope | {"choices": [], "usage": _usage(generation)}) if generation.tells_usage else b""
        done = frames.chunk(b"data: [DONE]\n\n") if generation.tells_stop else b""
        return finish + usage + done + frames.LAST_CHUNK

    return Script(
        status=200, head=head + opening, events=events, tail=tail, tells_usage=generation.tells_usage, in_stream=_in_stream
    )


def _in_stream(problem: ServiceError) -> bytes:
    """An error within the stream."""
    return _event({"error": {"message": problem.message, "type": problem.code, "code": str(problem.status), "param": None}})


def _envelope(generation: Generation, kind: str) -> Json:
    identity = {"id": f"chatcmpl-{generation.request_id}", "object": kind, "created": int(time.time())}
    tier = {"service_tier": generation.tier} if generation.tier else {}
    return {**identity, "model": generation.model_id, **tier}


def _headers(generation: Generation, content_type: str) -> dict[str, str]:
    return {"x-amzn-requestid": generation.request_id, "content-type": generation.content_type or content_type}


def _choice(delta: Json, reason: str | None) -> Json:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def _around_content(envelope: Json) -> tuple[bytes, bytes]:
    """What stands before and after the quoted piece in each content event of one answer: the rest of it is the same for all."""
    mark = "\x00"
    before, _, after = _data(envelope | _choice({"content": mark}, None)).partition(_quoted(mark))
    return before, after


@lru_cache(maxsize=65_536)
def _quoted(piece: str) -> bytes:
    return orjson.dumps(piece)


def _event(content: Json) -> bytes:
    return frames.chunk(_data(content))


def _data(content: Any) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(content)


def _finish_reason(generation: Generation) -> str:
    filtered = generation.stop_reason == "guardrail_intervened"
    return "content_filter" if filtered else finish_word(generation, "stop", "length")


def _usage(generation: Generation) -> Json:
    prompt, output = generation.prompt_tokens, generation.output_tokens
    usage: Json = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
    if generation.cache_read_tokens is not None:
        usage["prompt_tokens_details"] = {"cached_tokens": generation.cache_read_tokens}
    return usage


API = Api(operation="chat-completions", paths=("/openai/v1/chat/completions",), read=read, write=write, streams=streams)
