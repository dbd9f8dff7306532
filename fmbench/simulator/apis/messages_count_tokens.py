"""Anthropic's count of a Messages body's tokens."""

from __future__ import annotations

import orjson

from fmbench.simulator import http
from fmbench.simulator.apis.base import Api
from fmbench.simulator.apis.messages import refuse
from fmbench.simulator.asks import Ask, Json
from fmbench.simulator.families.anthropic import read_messages
from fmbench.simulator.generation import Generation
from fmbench.simulator.http import Request
from fmbench.simulator.script import Script, at_once


def read(_request: Request, _model_id: str, body: Json) -> Ask:
    """A Messages body, without ``max_tokens``."""
    return read_messages(body)


def _count(tokens: int, request_id: str) -> Script:
    headers = {"x-amzn-requestid": request_id, "content-type": "application/json"}
    script = at_once(http.answer(200, headers, orjson.dumps({"input_tokens": tokens})), status=200, error=None)
    script.whole = True
    return script


def write(generation: Generation, _body: Json) -> Script:
    """The count."""
    return _count(generation.prompt_tokens, generation.request_id)


API = Api(
    operation="messages-count-tokens",
    paths=("/anthropic/v1/messages/count_tokens",),
    read=read,
    write=write,
    error=refuse,
    count=_count,
)
