"""InvokeModelWithResponseStream: the model's own body, streamed in chunks."""

from __future__ import annotations

from fmbench.simulator import replies
from fmbench.simulator.apis.base import Api, always
from fmbench.simulator.apis.invoke import read
from fmbench.simulator.families import family_of

API = Api(
    operation="invoke-with-response-stream",
    verb="invoke-with-response-stream",
    read=read,
    write=lambda generation, body: replies.invoke_stream(generation, family_of(generation.model_id, body)),
    streams=always,
    checksums=True,
)
