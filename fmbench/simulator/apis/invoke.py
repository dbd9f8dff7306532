"""InvokeModel: the model's own body, the answer in one piece."""

from __future__ import annotations

from fmbench.simulator import replies
from fmbench.simulator.apis.base import Api
from fmbench.simulator.asks import Ask, Json
from fmbench.simulator.families import family_of
from fmbench.simulator.http import Request


def read(request: Request, model_id: str, body: Json) -> Ask:
    """A body in the shape of its family; tier and performance come in headers."""
    ask = family_of(model_id, body).read(body)
    ask.latency = request.headers.get("x-amzn-bedrock-performanceconfig-latency")
    ask.tier = request.headers.get("x-amzn-bedrock-service-tier")
    return ask


API = Api(
    operation="invoke",
    verb="invoke",
    read=read,
    write=lambda generation, body: replies.invoke(generation, family_of(generation.model_id, body)),
)
