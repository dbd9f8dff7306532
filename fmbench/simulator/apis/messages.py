"""Anthropic Messages: whole, or as server-sent events. The JSON is that of InvokeModel's Anthropic bodies."""

from __future__ import annotations

from fmbench.simulator import errors, frames
from fmbench.simulator.apis import _sse
from fmbench.simulator.apis.base import Api
from fmbench.simulator.asks import Ask, Json
from fmbench.simulator.errors import ServiceError
from fmbench.simulator.families.anthropic import FAMILY, block_start, block_stop, read_messages
from fmbench.simulator.generation import Generation
from fmbench.simulator.http import Request
from fmbench.simulator.replies import told_guardrail, without_usage
from fmbench.simulator.script import Script, Spent

_TYPES = {
    "ValidationException": ("invalid_request_error", 400),
    "AccessDeniedException": ("permission_error", 403),
    "ExpiredTokenException": ("authentication_error", 401),
    "ResourceNotFoundException": ("not_found_error", 404),
    "ThrottlingException": ("rate_limit_error", 429),
    "ModelTimeoutException": ("timeout_error", 504),
    "ServiceUnavailableException": ("overloaded_error", 529),
}


def read(request: Request, _model_id: str, body: Json) -> Ask:
    """A Messages body; the API's version comes in a header."""
    if "anthropic-version" not in request.headers:
        raise errors.validation("anthropic-version: header is required")
    if body.get("max_tokens") is None:
        raise errors.validation("max_tokens: Field required")
    ask = read_messages(body)
    ask.tier = request.headers.get("x-amzn-bedrock-service-tier")
    return ask


def write(generation: Generation, body: Json) -> Script:
    """The answer, whole or as a stream, as ``body`` asks for it."""
    return _stream(generation) if _sse.streams(body) else _sse.whole(generation, _told(generation, FAMILY.whole(generation)))


def _stream(generation: Generation) -> Script:
    opening = [_told(generation, part) for part in FAMILY.opening(generation)]
    thought, said = (_deltas(generation, kind) for kind in ("reasoning", "text"))
    if thought and said:
        said[0] = _event(block_stop(0)) + _event(block_start("text", 1)) + said[0]

    def tail(_spent: Spent) -> bytes:
        closing = [_told(generation, part) for part in FAMILY.closing(generation)]
        return b"".join(map(_event, closing if generation.tells_stop else [])) + frames.LAST_CHUNK

    return Script(
        status=200,
        head=_sse.stream_head(generation) + b"".join(map(_event, opening)),
        events=thought + said,
        tail=tail,
        tells_usage=generation.tells_usage and generation.tells_stop,
        in_stream=lambda problem: _sse.event(_error(problem), "error"),
    )


def _deltas(generation: Generation, kind: str) -> list[bytes]:
    index = 1 if kind == "text" and generation.thought else 0
    member, pieces = ("text", generation.said_pieces) if kind == "text" else ("thinking", generation.thought_pieces)
    delta = {"type": f"{member}_delta", member: ""}
    like = {"type": "content_block_delta", "index": index, "delta": delta}
    return _sse.contents(pieces, like, f"delta.{member}", "content_block_delta")


def _event(part: Json) -> bytes:
    return _sse.event(part, str(part["type"]))


def _told(generation: Generation, part: Json) -> Json:
    kept = part if generation.tells_usage else without_usage(part)
    return kept | (told_guardrail(generation) if part["type"] in ("message", "message_delta") else {})


def _error(problem: ServiceError) -> Json:
    kind, _status = _TYPES.get(problem.code, ("api_error", 500))
    return {"type": "error", "error": {"type": kind, "message": problem.message}}


def refuse(problem: ServiceError, request_id: str) -> Script:
    """An error before any content."""
    _kind, status = _TYPES.get(problem.code, ("", problem.status))
    return _sse.refusal(problem, request_id, status, _error(problem) | {"request_id": request_id})


API = Api(
    operation="messages",
    paths=("/anthropic/v1/messages",),
    read=read,
    write=write,
    streams=_sse.streams,
    error=refuse,
)
