"""OpenAI's Chat Completions: whole, or as server-sent events."""

from __future__ import annotations

import time

from fmbench.simulator import frames
from fmbench.simulator.apis import _sse
from fmbench.simulator.apis.base import Api
from fmbench.simulator.asks import Ask, Json, by_effort, check_ranges, given, off_by_effort
from fmbench.simulator.errors import ServiceError
from fmbench.simulator.families.base import finish_word, texts_of
from fmbench.simulator.generation import Generation
from fmbench.simulator.http import Request
from fmbench.simulator.script import Script, Spent

_SYSTEM = frozenset({"system", "developer"})
_BOUNDED = ("max_tokens", "max_completion_tokens", "top_p")
_OPEN, _CLOSE = "<reasoning>", "</reasoning>"


def read(_request: Request, _model_id: str, body: Json) -> Ask:
    """A Chat Completions body; ``max_completion_tokens`` is the newer name of ``max_tokens``."""
    check_ranges({name: body.get(name) for name in _BOUNDED})
    stop, effort = body.get("stop") or [], body.get("reasoning_effort")
    return Ask(
        texts=texts_of(body, lambda role: role not in _SYSTEM),
        system=texts_of(body, lambda role: role in _SYSTEM),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        stop_sequences=[stop] if isinstance(stop, str) else list(stop),
        tier=body.get("service_tier"),
        given=given(body, temperature="temperature", top_p="top_p", stop="stop_sequences")
        | off_by_effort(body.get("reasoning_effort")),
        **by_effort(effort),
    )


def write(generation: Generation, body: Json) -> Script:
    """The answer, whole or as a stream, as ``body`` asks for it."""
    return _stream(generation, body) if _sse.streams(body) else _whole(generation)


def _whole(generation: Generation) -> Script:
    thought, said = generation.reasoning, generation.text
    message: Json = {"role": "assistant", "content": said}
    if thought and _inline(generation):
        message["content"] = _OPEN + thought + _CLOSE + said
    elif thought:
        message["reasoning_content"] = thought
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(generation)}
    usage = {"usage": _usage(generation)} if generation.tells_usage else {}
    body = _envelope(generation, "chat.completion") | {"choices": [choice]}
    return _sse.whole(generation, body | usage | _guardrail(generation))


def _stream(generation: Generation, body: Json) -> Script:
    """The role, a chunk for each piece of content, the finish reason, the usage where it was asked for, ``[DONE]``."""
    options = body.get("stream_options") or {}
    generation.tells_usage = generation.tells_usage and options.get("include_usage") is True
    envelope = _envelope(generation, "chat.completion.chunk")
    opening = _sse.event(envelope | _choice({"role": "assistant", "content": ""}, None))

    def tail(_spent: Spent) -> bytes:
        end = envelope | _choice({}, _finish_reason(generation)) | _guardrail(generation)
        finish = _sse.event(end) if generation.tells_stop else b""
        usage = _sse.event(envelope | {"choices": [], "usage": _usage(generation)}) if generation.tells_usage else b""
        done = frames.chunk(b"data: [DONE]\n\n") if generation.tells_stop else b""
        return finish + usage + done + frames.LAST_CHUNK

    return Script(
        status=200,
        head=_sse.stream_head(generation) + opening,
        events=_events(generation, envelope),
        tail=tail,
        tells_usage=generation.tells_usage,
        in_stream=_in_stream,
    )


def _events(generation: Generation, envelope: Json) -> list[bytes]:
    thought = list(generation.thought_pieces)
    member = "content" if _inline(generation) else "reasoning_content"
    if thought and _inline(generation):
        thought[0] = _OPEN + thought[0]
        thought[-1] += _CLOSE
    like = envelope | _choice({"?": ""}, None)
    return _deltas(thought, like, member) + _deltas(generation.said_pieces, like, "content")


def _deltas(pieces: list[str], like: Json, member: str) -> list[bytes]:
    mark = "\x00"
    lines = _sse.lines(like | _choice({member: mark}, None))
    before, _, after = lines.partition(_sse.quoted(mark))
    return [frames.chunk(before + _sse.quoted(piece) + after) for piece in pieces]


def _inline(generation: Generation) -> bool:
    """gpt-oss tells its reasoning in the content itself."""
    return "gpt-oss" in generation.model_id


def _in_stream(problem: ServiceError) -> bytes:
    """An error within the stream."""
    return _sse.event({"error": _sse.openai_error(problem)})


def _envelope(generation: Generation, kind: str) -> Json:
    identity = {"id": f"chatcmpl-{generation.request_id}", "object": kind, "created": int(time.time())}
    tier = {"service_tier": generation.tier} if generation.tier else {}
    return {**identity, "model": generation.model_id, **tier}


def _choice(delta: Json, reason: str | None) -> Json:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def _guardrail(generation: Generation) -> Json:
    return {"amazon-bedrock-guardrailAction": "INTERVENED"} if generation.stop_reason == "guardrail_intervened" else {}


def _finish_reason(generation: Generation) -> str:
    filtered = generation.stop_reason == "guardrail_intervened"
    return "content_filter" if filtered else finish_word(generation, "stop", "length")


def _usage(generation: Generation) -> Json:
    prompt, output = generation.prompt_tokens, generation.output_tokens
    usage: Json = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
    if generation.cache_read_tokens is not None:
        details = {"cached_tokens": generation.cache_read_tokens, "cache_write_tokens": generation.cache_write_tokens}
        usage["prompt_tokens_details"] = details
    if generation.thought:
        usage["completion_tokens_details"] = {"reasoning_tokens": len(generation.thought)}
    return usage


API = Api(
    operation="chat-completions",
    paths=("/openai/v1/chat/completions", "/v1/chat/completions"),
    read=read,
    write=write,
    streams=_sse.streams,
    error=_sse.openai_refusal,
)
