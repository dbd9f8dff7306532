"""Real boto3 clients for an endpoint, as plain as can be: one attempt, SigV4."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import boto3
from botocore.config import Config

from tests.support.simulator import Endpoint

MODEL = "us.amazon.nova-lite-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"

_session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


def client_of(endpoint: Endpoint, **more: Any) -> Any:
    """A Bedrock Runtime client that is closed when the endpoint ends; ``more`` goes to botocore's ``Config``."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=10, signature_version="v4", max_pool_connections=64)
    client = _session.client(
        "bedrock-runtime", endpoint_url=endpoint.url, config=config.merge(Config(**more)), verify=endpoint.ca_bundle
    )
    endpoint.closing.callback(client.close)
    return client


def ask(text: str = "What is the capital of France?", **more: Any) -> dict[str, Any]:
    """The arguments of a Converse call of 12 tokens."""
    return {
        "modelId": MODEL,
        "messages": [{"role": "user", "content": [{"text": text}]}],
        "inferenceConfig": {"maxTokens": 12},
    } | more


def stream_of(client: Any, **more: Any) -> list[dict[str, Any]]:
    """All events of a ConverseStream call."""
    with closing(client.converse_stream(**ask(**more))["stream"]) as stream:
        return list(stream)
