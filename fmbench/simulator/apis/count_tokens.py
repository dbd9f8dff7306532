"""CountTokens: how many tokens a body of Converse or InvokeModel has."""

from __future__ import annotations

from base64 import b64decode

from fmbench.simulator import errors, replies
from fmbench.simulator.apis.base import Api
from fmbench.simulator.asks import Ask, Json, read_body, read_converse
from fmbench.simulator.families import family_of
from fmbench.simulator.generation import Generation
from fmbench.simulator.http import Request
from fmbench.simulator.script import Script


def read(_request: Request, model_id: str, body: Json) -> Ask:
    """The body to count, in the member that is named after its operation."""
    asked = body.get("input") or {}
    if "converse" in asked:
        return read_converse(asked["converse"])
    if "invokeModel" not in asked:
        raise errors.validation("The input must hold either converse or invokeModel.")
    inner = read_body(b64decode(asked["invokeModel"]["body"]))
    return family_of(model_id, inner).read(inner)


def write(generation: Generation, _body: Json) -> Script:
    """The count."""
    return replies.count_tokens(generation.prompt_tokens, generation.request_id)


API = Api(operation="count-tokens", verb="count-tokens", read=read, write=write, count=replies.count_tokens)
