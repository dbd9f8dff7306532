"""The ways to ask a model, a file each: what is sent and where, how the answer is read, how its errors look."""

from __future__ import annotations

from fmbench.bedrock.apis.base import Api as Api
from fmbench.config.schema import Model
from fmbench.core.registry import entry


def api_of(model: Model) -> Api:
    """The API that the model's configuration names."""
    api: Api = entry("bedrock/apis", model.api).API
    return api
