"""Anthropic Messages, the answer in one piece."""

from __future__ import annotations

from fmbench.bedrock.apis.base import Api
from fmbench.bedrock.apis.messages import MessagesWholeAnswer, serialise

API = Api(
    serialise=lambda serialiser, model, asking: serialise(serialiser, model, asking, stream=False),
    answer=lambda _model: MessagesWholeAnswer,
)
