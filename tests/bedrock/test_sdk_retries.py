"""boto3's modes by name: as many attempts, and as long waits, as boto3 itself makes against the same answers."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fmbench.bedrock.sdk_retries import SdkRetries
from fmbench.core.failures import FailureKind
from fmbench.core.records import Exchange
from tests.bedrock.scripted_server import Request, Scripted, reset, scripted

MODES = ("legacy", "standard", "adaptive")
ERRORS = {
    "throttled": (429, "ThrottlingException"),
    "unavailable": (503, "ServiceUnavailableException"),
    "internal": (500, "InternalServerException"),
    "not ready": (429, "ModelNotReadyException"),
    "model timeout": (408, "ModelTimeoutException"),
    "validation": (400, "ValidationException"),
    "denied": (403, "AccessDeniedException"),
    "quota": (400, "ServiceQuotaExceededException"),
    "model error": (424, "ModelErrorException"),
    "gateway": (502, ""),
    "reset": (0, ""),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    with scripted(lambda connection, request: None) as running:
        yield running


def answer_with(status: int, code: str) -> Any:
    def script(connection: Any, request: Request) -> None:
        if not status:
            return reset(connection)
        body = b'{"message": "no"}'
        head = f"HTTP/1.1 {status} no\r\nx-amzn-errortype: {code}\r\ncontent-type: application/json\r\n"
        connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)

    return script


ASKED: Any = {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "x"}]}]}
CALLS: dict[str, Callable[[Any], Any]] = {
    "converse": lambda client: client.converse(**ASKED),
    "converse-stream": lambda client: client.converse_stream(**ASKED),
    "invoke": lambda client: client.invoke_model(modelId="m", body=b"{}"),
    "invoke-stream": lambda client: client.invoke_model_with_response_stream(modelId="m", body=b"{}"),
}


def attempts_of_boto3(server: Scripted, mode: str, attempts: int, api: str = "converse") -> tuple[int, list[float]]:
    """How many requests boto3 sends for one call that always fails so, and its waits between them."""
    keys: Any = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1", "endpoint_url": server.url}
    retries: Any = {"mode": mode, "total_max_attempts": attempts}
    client = boto3.client("bedrock-runtime", config=Config(retries=retries), **keys)
    server.requests.clear()
    waits: list[float] = []
    sleep, here = time.sleep, threading.get_ident()

    def noted(seconds: float) -> None:
        """Other threads of the process, such as the one that renews credentials, sleep as they did."""
        waits.append(seconds) if threading.get_ident() == here else sleep(seconds)

    with mock.patch.object(time, "sleep", noted), pytest.raises((ClientError, BotoCoreError)):
        CALLS[api](client)
    return len(server.requests), waits


def ours(mode: str, attempts: int, status: int, code: str, api: str = "converse") -> tuple[int, list[float]]:
    """The same by the decisions that a load process is given."""
    request, waits = SdkRetries(mode, attempts, api).request(), []
    exchange = Exchange(started_ns=0, http_status=status or None, error_code=code or None)
    exchange.failure = FailureKind.UNKNOWN if status else FailureKind.RESET_BEFORE_RESPONSE
    while (delay := request.delay_s(exchange, len(waits) + 1)) is not None:
        waits.append(delay)
    return len(waits) + 1, waits


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("error", ERRORS)
def test_as_many_attempts_and_waits_as_boto3(server: Scripted, mode: str, error: str) -> None:
    server.script = answer_with(*ERRORS[error])
    random.seed(5)
    theirs = attempts_of_boto3(server, mode, 4)
    random.seed(5)
    assert ours(mode, 4, *ERRORS[error]) == theirs
    assert theirs[0] in (1, 4)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("api", CALLS)
def test_each_operation_is_tried_as_boto3_tries_it(server: Scripted, mode: str, api: str) -> None:
    for error in ("throttled", "internal", "reset", "validation"):
        server.script = answer_with(*ERRORS[error])
        random.seed(3)
        theirs = attempts_of_boto3(server, mode, 3, api)
        random.seed(3)
        assert ours(mode, 3, *ERRORS[error], api) == theirs, error


def test_a_throttle_inside_a_stream_is_not_tried_again_by_boto3() -> None:
    """It came after the answer had begun, and botocore had returned by then."""
    inside = Exchange(started_ns=0, http_status=200, failure=FailureKind.THROTTLED_IN_STREAM)
    assert all(SdkRetries(mode, 3, "converse-stream").request().delay_s(inside, 1) is None for mode in MODES)


def test_the_waits_of_standard_mode_grow() -> None:
    with mock.patch("random.random", return_value=1.0):
        waits = ours("legacy", 5, 429, "ThrottlingException")[1]
    assert [later / earlier for earlier, later in pairwise(waits)] == [2.0] * 3


def test_the_quota_of_retries_is_shared_and_given_back() -> None:
    """Standard mode has 500 tokens, and the service's throttle takes the same from it in boto3 and here: it runs dry."""
    retries = SdkRetries("standard", 3, "converse-stream")
    refused = Exchange(started_ns=0, http_status=503, error_code="ServiceUnavailableException", failure=FailureKind.INTERNAL)
    granted = sum(retries.request().delay_s(refused, 1) is not None for _ in range(300))
    assert 0 < granted < 300
    assert retries.request().delay_s(refused, 1) is None
    for _ in range(30):
        retries.request().delay_s(Exchange(started_ns=0, http_status=200), 1)
    assert retries.request().delay_s(refused, 1) is not None


def test_what_breaks_off_inside_a_stream_is_not_tried_again_and_what_breaks_off_in_a_body_is() -> None:
    broken = Exchange(started_ns=0, http_status=200, failure=FailureKind.RESET_IN_STREAM)
    assert SdkRetries("standard", 3, "converse-stream").request().delay_s(broken, 1) is None
    assert SdkRetries("standard", 3, "converse").request().delay_s(broken, 1) is not None


def test_without_a_number_of_attempts_the_configured_one_holds() -> None:
    with mock.patch.dict(os.environ, {"AWS_MAX_ATTEMPTS": "2"}):
        request = SdkRetries("standard", None, "converse").request()
    refused = Exchange(started_ns=0, http_status=429, error_code="ThrottlingException", failure=FailureKind.THROTTLED)
    assert request.delay_s(refused, 1) is not None and request.delay_s(refused, 2) is None
