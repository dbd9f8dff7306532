"""OpenAI's Chat Completions, the answer in one piece."""

from __future__ import annotations

from fmbench.bedrock.apis.base import Api
from fmbench.bedrock.apis.chat import ChatWholeAnswer, serialise

API = Api(
    serialise=lambda serialiser, model, asking: serialise(serialiser, model, asking, stream=False),
    answer=lambda _model: ChatWholeAnswer,
)
