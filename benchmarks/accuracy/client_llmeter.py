"""LLMeter's Runner on Bedrock's ConverseStream: a thread a stream. Run by the Python of LLMeter's own environment.

LLMeter gives latencies, from before the SDK's call, and no stamps: rows start at 0. It starts all threads within 10 ms. It counts
tokens, which are the endpoint's content events.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import boto3
from botocore.config import Config
from llmeter.endpoints import BedrockConverseStream
from llmeter.runner import Runner

from benchmarks.accuracy.work import MODEL, REGION, Done, Row, Work


def main() -> None:
    """Do the work and print it."""
    work = Work.from_arguments()
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=work.streams, connect_timeout=60)
    client = boto3.client("bedrock-runtime", REGION, endpoint_url=work.url, verify=work.ca_bundle, config=config)
    runner = Runner(BedrockConverseStream(MODEL, region=REGION, bedrock_boto3_client=client))
    began = time.process_time_ns()
    rows = [row for requests, first in ((1, True), (work.requests, False)) for row in _run(runner, work, requests, first)]
    Done(time.process_time_ns() - began, rows).print()


def _run(runner: Runner, work: Work, requests: int, first: bool) -> list[Row]:
    message = {"role": "user", "content": [{"text": work.text}]}
    payload = {"messages": [message], "inferenceConfig": {"maxTokens": work.tokens}}
    result = asyncio.run(runner.run(payload=payload, clients=work.streams, n_requests=requests))
    return [_row(response, first) for response in result.responses]


def _row(response: Any, first: bool) -> Row:
    assert not response.error, response.error
    times = (round(response.time_to_first_token * 1e9), round(response.time_to_last_token * 1e9))
    return Row(response.id, 0, *times, response.num_tokens_output, first)


if __name__ == "__main__":
    main()
