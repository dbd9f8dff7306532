"""ConverseStream: Bedrock's own shape, streamed."""

from __future__ import annotations

from fmbench.simulator import replies
from fmbench.simulator.apis.base import Api, always
from fmbench.simulator.apis.converse import read

API = Api(
    operation="converse-stream",
    verb="converse-stream",
    read=read,
    write=lambda generation, _body: replies.converse_stream(generation),
    streams=always,
    checksums=True,
)
