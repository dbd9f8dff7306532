"""OpenAI's Responses: whole, or as server-sent events that are numbered."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

from fmbench.simulator import errors, frames
from fmbench.simulator.apis import _sse
from fmbench.simulator.apis.base import Api
from fmbench.simulator.asks import Ask, Json, by_effort, check_ranges, given, off_by_effort
from fmbench.simulator.errors import ServiceError
from fmbench.simulator.generation import Generation
from fmbench.simulator.http import Request
from fmbench.simulator.script import Script, Spent

_BOUNDED = ("max_output_tokens", "top_p")


def read(_request: Request, _model_id: str, body: Json) -> Ask:
    """A Responses body: ``input`` is text, or a list of messages whose content is text or a list of parts."""
    check_ranges({name: body.get(name) for name in _BOUNDED})
    if body.get("background"):
        raise errors.validation("The background parameter is not supported.")
    system: list[str] = []
    texts: list[str] = []
    for role, text in _messages(body.get("input")):
        (system if role in ("system", "developer") else texts).append(text)
    if not texts:
        raise errors.validation("input: at least one message is required")
    instructions, effort = body.get("instructions"), (body.get("reasoning") or {}).get("effort")
    return Ask(
        texts=texts,
        system=([instructions] if isinstance(instructions, str) else []) + system,
        max_tokens=body.get("max_output_tokens"),
        tier=body.get("service_tier"),
        given=given(body, temperature="temperature", top_p="top_p") | off_by_effort(effort),
        **by_effort(effort),
    )


def _messages(asked: Any) -> list[tuple[str, str]]:
    if isinstance(asked, str):
        return [("user", asked)]
    found = []
    for message in asked or ():
        content = message.get("content")
        parts = [content] if isinstance(content, str) else [part.get("text", "") for part in content or ()]
        found += [(str(message.get("role")), text) for text in parts]
    return found


def write(generation: Generation, body: Json) -> Script:
    """The answer, whole or as a stream, as ``body`` asks for it."""
    return _stream(generation) if _sse.streams(body) else _sse.whole(generation, _response(generation, ended=True))


def _response(generation: Generation, *, ended: bool) -> Json:
    """The response object, as it begins or as it ends."""
    cut = {"max_tokens": "max_output_tokens", "guardrail_intervened": "content_filter"}.get(generation.stop_reason)
    status = "in_progress" if not ended else "incomplete" if cut else "completed"
    tier = {"service_tier": generation.tier} if generation.tier else {}
    intervened = ended and generation.stop_reason == "guardrail_intervened"
    return {
        "id": f"resp_{generation.request_id.replace('-', '')}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": cut} if ended and cut else None,
        "model": generation.model_id,
        "output": _items(generation, status) if ended else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "store": False,
        **tier,
        "usage": _usage(generation) if ended and generation.tells_usage else None,
        **({"amazon-bedrock-guardrailAction": "INTERVENED"} if intervened else {}),
    }


def _items(generation: Generation, status: str) -> list[Json]:
    thought = [_reasoning(generation, [{"type": "reasoning_text", "text": generation.reasoning}])] if generation.thought else []
    return [*thought, _message(generation, status, [_part(generation.text)])]


def _reasoning(generation: Generation, content: list[Json]) -> Json:
    return {"id": f"rs_{generation.request_id}", "type": "reasoning", "summary": [], "content": content}


def _message(generation: Generation, status: str, content: list[Json]) -> Json:
    return {"id": f"msg_{generation.request_id}", "type": "message", "role": "assistant", "status": status, "content": content}


def _part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(generation: Generation) -> Json:
    prompt, output = generation.prompt_tokens, generation.output_tokens
    read, written = generation.cache_read_tokens or 0, generation.cache_write_tokens or 0
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": len(generation.thought)},
        "total_tokens": prompt + output,
    }


def _stream(generation: Generation) -> Script:
    """created, in_progress, an item of reasoning where there is some, a message's deltas, and the whole response at the end."""
    number = count()
    place = 1 if generation.thought else 0
    message, reason = f"msg_{generation.request_id}", f"rs_{generation.request_id}"
    of_message = {"item_id": message, "output_index": place, "content_index": 0}
    of_reason = {"item_id": reason, "output_index": 0, "content_index": 0}

    def event(kind: str, **members: Any) -> bytes:
        return _sse.event({"type": f"response.{kind}", "sequence_number": next(number), **members}, f"response.{kind}")

    def delta(kind: str, piece: str, of: Json) -> bytes:
        return event(f"{kind}.delta", **of, delta=piece, **({"logprobs": []} if kind == "output_text" else {}))

    begun = _response(generation, ended=False)
    head = event("created", response=begun) + event("in_progress", response=begun)
    if generation.thought:
        head += event("output_item.added", output_index=0, item=_reasoning(generation, []))
    events = [delta("reasoning_text", piece, of_reason) for piece in generation.thought_pieces]
    between = b""
    if generation.thought:
        item = _reasoning(generation, [{"type": "reasoning_text", "text": generation.reasoning}])
        between = event("reasoning_text.done", **of_reason, text=generation.reasoning)
        between += event("output_item.done", output_index=0, item=item)
    between += event("output_item.added", output_index=place, item=_message(generation, "in_progress", []))
    between += event("content_part.added", **of_message, part=_part(""))
    said = [delta("output_text", piece, of_message) for piece in generation.said_pieces]
    if events and said:
        said[0] = between + said[0]
        between = b""
    elif not events:
        head, between = head + between, b""

    def tail(_spent: Spent) -> bytes:
        if not generation.tells_stop:
            return frames.LAST_CHUNK
        last = _response(generation, ended=True)
        end = between + event("output_text.done", **of_message, text=generation.text, logprobs=[])
        end += event("content_part.done", **of_message, part=_part(generation.text))
        end += event("output_item.done", output_index=place, item=_message(generation, last["status"], [_part(generation.text)]))
        return end + event(last["status"], response=last) + frames.LAST_CHUNK

    return Script(
        status=200,
        head=_sse.stream_head(generation) + head,
        events=events + said,
        tail=tail,
        tells_usage=generation.tells_usage and generation.tells_stop,
        in_stream=_in_stream,
    )


def _in_stream(problem: ServiceError) -> bytes:
    """An error within the stream."""
    error = _sse.openai_error(problem)
    said = {key: error[key] for key in ("code", "message", "param")}
    return _sse.event({"type": "error", "sequence_number": 99, **said}, "error")


API = Api(
    operation="responses",
    paths=("/openai/v1/responses", "/v1/responses"),
    read=read,
    write=write,
    streams=_sse.streams,
    error=_sse.openai_refusal,
)
