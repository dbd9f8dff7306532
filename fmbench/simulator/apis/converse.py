"""Converse: the answer in one piece."""

from __future__ import annotations

from fmbench.simulator import replies
from fmbench.simulator.apis.base import Api
from fmbench.simulator.asks import Ask, Json, read_converse
from fmbench.simulator.http import Request


def read(_request: Request, _model_id: str, body: Json) -> Ask:
    """A body of Converse or ConverseStream."""
    return read_converse(body)


API = Api(operation="converse", verb="converse", read=read, write=lambda generation, _body: replies.converse(generation))
