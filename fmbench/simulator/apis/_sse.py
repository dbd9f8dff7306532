"""Server-sent events, and errors in the shapes of OpenAI's and Anthropic's APIs, with Bedrock's own header beside them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from fmbench.simulator import frames, http
from fmbench.simulator.asks import Json
from fmbench.simulator.errors import ServiceError
from fmbench.simulator.generation import Generation
from fmbench.simulator.script import Script, at_once

_CORAL = "http://internal.amazon.com/coral/com.amazon.bedrock/"


def streams(body: Json) -> bool:
    """Whether the answer is asked for as a stream."""
    return body.get("stream") is True


def event(content: Json, name: str = "") -> bytes:
    """One event in a chunk of its own."""
    return frames.chunk(lines(content, name))


def lines(content: Any, name: str = "") -> bytes:
    """The lines of an event."""
    named = b"event: %b\n" % name.encode() if name else b""
    return b"%bdata: %b\n\n" % (named, orjson.dumps(content))


@lru_cache(maxsize=65_536)
def quoted(piece: str) -> bytes:
    """A piece of text as a JSON string."""
    return orjson.dumps(piece)


def contents(pieces: list[str], like: Json, member: str, name: str = "") -> list[bytes]:
    """An event for each piece: ``like`` with the piece in place of the mark that stands in ``member``."""
    mark = "\x00"
    before, _, after = lines(_marked(like, member, mark), name).partition(quoted(mark))
    return [frames.chunk(before + quoted(piece) + after) for piece in pieces]


def _marked(like: Json, member: str, mark: str) -> Json:
    first, _, rest = member.partition(".")
    return {**like, first: _marked(like[first], rest, mark) if rest else mark}


def headers(generation: Generation, content_type: str) -> dict[str, str]:
    """Headers of an answer."""
    return {"x-amzn-requestid": generation.request_id, "content-type": generation.content_type or content_type}


def stream_head(generation: Generation) -> bytes:
    """The head of a stream."""
    return http.head(200, headers(generation, "text/event-stream") | {"transfer-encoding": "chunked"})


def whole(generation: Generation, body: Json) -> Script:
    """An answer in one piece."""
    data = http.answer(200, headers(generation, "application/json"), orjson.dumps(body))
    tokens = max(generation.output_tokens, 1)
    return Script(status=200, tail=lambda _spent: data, silent_tokens=tokens, tells_usage=generation.tells_usage)


def refusal(problem: ServiceError, request_id: str, status: int, body: Json) -> Script:
    """An error before any content."""
    head = {
        "x-amzn-requestid": request_id,
        "x-amzn-errortype": f"{problem.code}:{_CORAL}",
        "content-type": "application/json",
    }
    return at_once(http.answer(status, head, orjson.dumps(body)), status=status, error=problem.code)


_OPENAI_TYPES = {400: "invalid_request_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


def openai_error(problem: ServiceError) -> Json:
    """An error as OpenAI's APIs tell it."""
    kind = _OPENAI_TYPES.get(problem.status, "server_error")
    code = "rate_limit_exceeded" if problem.code == "ThrottlingException" else problem.code
    return {"message": problem.message, "type": kind, "param": None, "code": code}


def openai_refusal(problem: ServiceError, request_id: str) -> Script:
    """An error of OpenAI's APIs before any content."""
    return refusal(problem, request_id, problem.status, {"error": openai_error(problem)})
