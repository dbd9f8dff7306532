"""Each fault of the simulator as real boto3 meets it."""

from __future__ import annotations

import json
import time
from contextlib import closing, suppress
from itertools import pairwise
from typing import Any, get_args

import pytest
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EventStreamError,
    ReadTimeoutError,
)
from urllib3.exceptions import ProtocolError
from urllib3.exceptions import ReadTimeoutError as StreamReadTimeout

from fmbench.simulator.behaviour import FaultKind
from tests.support.boto import ask, client_of, stream_of
from tests.support.simulator import running, simulator

__all__ = ["simulator"]

BEFORE = {
    "throttle_requests": ("ThrottlingException", 429, "Too many requests, please wait before trying again."),
    "throttle_tokens": ("ThrottlingException", 429, "Too many tokens, please wait before trying again."),
    "throttle_daily": ("ThrottlingException", 429, "Too many tokens per day, please wait before trying again."),
    "service_quota": ("ServiceQuotaExceededException", 400, "quota"),
    "access_denied": ("AccessDeniedException", 403, "access"),
    "expired_credentials": ("ExpiredTokenException", 403, "expired"),
    "not_found": ("ResourceNotFoundException", 404, "could not be found"),
    "validation": ("ValidationException", 400, "The provided model identifier is invalid."),
    "model_timeout": ("ModelTimeoutException", 408, "timeout"),
    "model_not_ready": ("ModelNotReadyException", 429, "not ready"),
    "model_error": ("ModelErrorException", 424, "error"),
    "internal": ("InternalServerException", 500, "unexpected error"),
    "service_unavailable": ("ServiceUnavailableException", 503, "unable"),
}
INSIDE = {
    "throttle_in_stream": "throttlingException",
    "model_stream_error": "modelStreamErrorException",
    "internal_in_stream": "internalServerException",
    "unavailable_in_stream": "serviceUnavailableException",
    "validation_in_stream": "validationException",
}
OTHERS = {
    "reset_before_response",
    "close_before_response",
    "reset_in_stream",
    "early_end",
    "cut_frame",
    "bad_crc",
    "stall_before_response",
    "stall_in_stream",
    "drip",
    "no_metadata",
    "no_message_stop",
    "html_error",
    "html_ok",
    "wrong_content_type",
    "guardrail",
}


MORE = {
    "drip": {"seconds": 0.001},
    "stall_before_response": {"seconds": 30.0},
    "stall_in_stream": {"seconds": 30.0},
}


@pytest.fixture(scope="module")
def one_endpoint():
    """One endpoint with a model for each fault, of the fault's name, that strikes its first request."""
    faults = {kind: {"kind": kind, "at": [1], "after_events": 3} | MORE.get(kind, {}) for kind in get_args(FaultKind)}
    faults["short_stall"] = faults["stall_in_stream"] | {"seconds": 0.2}
    models = {name: {"faults": [fault]} for name, fault in faults.items()}
    with running({"profile": {"ttft_s": 0.0, "tpot_s": 0.001}, "models": models}) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(one_endpoint):
    one_endpoint.reset()
    return one_endpoint


@pytest.fixture
def client(endpoint):
    return client_of(endpoint)


def events_until_error(client: Any, model: str, expected: type[Exception]) -> tuple[list[dict[str, Any]], Exception]:
    """The events that came before an exception of the ``expected`` type."""
    seen: list[dict[str, Any]] = []
    with closing(client.converse_stream(**ask(modelId=model))["stream"]) as stream, pytest.raises(expected) as caught:
        for event in stream:
            seen.append(event)
    return seen, caught.value


def deltas(events: list[dict[str, Any]]) -> int:
    return sum("contentBlockDelta" in event for event in events)


def the_row(endpoint: Any, kind: str) -> dict[str, Any]:
    """The one row of the ledger, which names the fault and is no whole answer."""
    (row,) = endpoint.settled(1)
    assert (row["fault"], row["completed"]) == (kind, False)
    return row


def test_every_fault_is_tested_here():
    assert BEFORE.keys() | INSIDE.keys() | OTHERS == set(get_args(FaultKind))


@pytest.mark.parametrize("kind", BEFORE)
@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
def test_an_error_before_the_answer(endpoint, client, kind, operation):
    code, status, words = BEFORE[kind]
    with pytest.raises(ClientError, match=words) as caught:
        getattr(client, operation)(**ask(modelId=kind))
    assert caught.value.response["Error"]["Code"] == code
    row, metadata = the_row(endpoint, kind), caught.value.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == row["status"] == status
    assert metadata["RequestId"] == row["request_id"]
    assert (row["error"], row["input_tokens"], row["output_tokens"], row["content_ns"]) == (code, None, None, [])
    assert client.converse(**ask(modelId=kind))["usage"]["outputTokens"] == 12  # the next one is whole
    assert endpoint.counts()["connections"] == 1


@pytest.mark.parametrize("kind", INSIDE)
def test_an_error_inside_the_stream(endpoint, client, kind):
    seen, error = events_until_error(client, kind, EventStreamError)
    assert error.response["Error"]["Code"] == INSIDE[kind]
    assert deltas(seen) == 3
    row = the_row(endpoint, kind)
    assert (row["status"], row["tokens_sent"], row["output_tokens"], row["stream_events"]) == (200, 3, None, 3)
    assert stream_of(client, modelId=kind)[-1]["metadata"]["usage"]["outputTokens"] == 12


@pytest.mark.parametrize("kind", INSIDE)
def test_an_error_inside_an_invoke_stream(client, kind):
    body = json.dumps({"messages": ask()["messages"], "inferenceConfig": {"maxTokens": 9}})
    answer = client.invoke_model_with_response_stream(modelId=kind, body=body)
    with closing(answer["body"]) as stream, pytest.raises(EventStreamError) as caught:
        list(stream)
    assert caught.value.response["Error"]["Code"] == INSIDE[kind]


@pytest.mark.parametrize("kind", ["reset_before_response", "close_before_response"])
def test_a_connection_that_ends_before_the_answer(endpoint, client, kind):
    with pytest.raises(ConnectionClosedError) as caught:
        client.converse_stream(**ask(modelId=kind))
    assert ("reset by peer" in str(caught.value.__context__)) == (kind == "reset_before_response")
    assert the_row(endpoint, kind)["status"] is None


def test_a_reset_inside_the_stream(endpoint, client):
    _seen, error = events_until_error(client, "reset_in_stream", ProtocolError)
    assert isinstance(error.args[1], ConnectionResetError)
    assert the_row(endpoint, "reset_in_stream")["stream_events"] == 3


def test_a_clean_early_end_looks_whole_to_boto3(endpoint, client):
    events = stream_of(client, modelId="early_end")
    assert (len(events), deltas(events)) == (4, 3)
    assert the_row(endpoint, "early_end")["output_tokens"] is None


@pytest.mark.parametrize(("kind", "error"), [("cut_frame", ProtocolError), ("bad_crc", ChecksumMismatch)])
def test_a_broken_frame(endpoint, client, kind, error):
    seen, _error = events_until_error(client, kind, error)
    assert deltas(seen) <= 3
    the_row(endpoint, kind)


def test_a_stall_before_the_answer(endpoint):
    with pytest.raises(ReadTimeoutError):
        client_of(endpoint, read_timeout=0.3).converse_stream(**ask(modelId="stall_before_response"))
    (row,) = endpoint.settled(1)
    assert (row["fault"], row["client_gone"], row["completed"]) == ("stall_before_response", True, False)


def test_a_stall_inside_the_stream(endpoint):
    patience = client_of(endpoint, read_timeout=0.5)
    seen, _error = events_until_error(patience, "stall_in_stream", StreamReadTimeout)
    assert deltas(seen) <= 3
    row = the_row(endpoint, "stall_in_stream")
    assert (row["client_gone"], row["stream_events"]) == (True, 3)


@pytest.mark.timing
def test_a_stall_that_ends_gives_a_whole_answer(endpoint, client):
    assert deltas(stream_of(client, modelId="short_stall")) == 12
    (row,) = endpoint.settled(1)
    gaps = [later - earlier for earlier, later in pairwise(row["content_ns"])]
    assert row["completed"]
    assert gaps.index(max(gaps)) == 2
    assert max(gaps) >= 0.19e9


def test_a_drip_never_trips_a_read_timeout(endpoint):
    started = time.monotonic()
    assert deltas(stream_of(client_of(endpoint, read_timeout=1.0), modelId="drip")) == 12
    assert time.monotonic() - started > 1.0  # some 2,000 bytes, a millisecond apart
    assert endpoint.settled(1)[0]["completed"]


@pytest.mark.parametrize("kind", ["no_metadata", "no_message_stop"])
def test_a_missing_last_event(endpoint, client, kind):
    names = [next(iter(event)) for event in stream_of(client, modelId=kind)]
    assert ("metadata" in names, "messageStop" in names) == (kind != "no_metadata", kind != "no_message_stop")
    row = the_row(endpoint, kind)
    assert (row["output_tokens"], row["tokens_sent"]) == (None if kind == "no_metadata" else 12, 12)


def test_a_proxys_error_page(endpoint, client):
    with pytest.raises(ClientError) as caught:
        client.converse_stream(**ask(modelId="html_error"))
    metadata = caught.value.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] in (502, 503)
    assert metadata["HTTPHeaders"]["content-type"] == "text/html"
    the_row(endpoint, "html_error")


def test_a_proxys_page_with_status_200(endpoint, client):
    events_until_error(client, "html_ok", ChecksumMismatch)
    assert the_row(endpoint, "html_ok")["status"] == 200


def test_a_wrong_content_type(endpoint, client):
    answer = client.converse(**ask(modelId="wrong_content_type"))
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "text/plain"
    the_row(endpoint, "wrong_content_type")


def test_a_guardrail_intervenes(endpoint, client):
    events = stream_of(client, modelId="guardrail")
    assert [event["messageStop"]["stopReason"] for event in events if "messageStop" in event] == ["guardrail_intervened"]
    the_row(endpoint, "guardrail")


def test_an_answer_with_a_length_is_reset(endpoint, client):
    with pytest.raises(ConnectionClosedError):
        client.converse(**ask(modelId="reset_in_stream"))
    assert the_row(endpoint, "reset_in_stream")["output_tokens"] is None


@pytest.mark.parametrize("kind", ["cut_frame", "early_end"])
def test_an_answer_that_stops_short_of_its_length_has_no_usage(endpoint, client, kind):
    assert "usage" not in client.converse(**ask(modelId=kind))  # boto3 makes nothing of half a body
    assert the_row(endpoint, kind)["output_tokens"] is None


def test_a_fault_of_streams_spares_other_answers(endpoint, client):
    assert client.converse(**ask(modelId="bad_crc"))["usage"]["outputTokens"] == 12
    assert endpoint.settled(1)[0]["fault"] is None


def test_the_same_over_tls(simulator):
    kinds = {"reset_in_stream": ProtocolError, "cut_frame": ProtocolError, "bad_crc": ChecksumMismatch}
    models = {kind: {"faults": [{"kind": kind, "at": [1], "after_events": 3}]} for kind in kinds}
    endpoint = simulator({"tls": True, "profile": {"ttft_s": 0.0, "tpot_s": 0.001}, "models": models})
    client = client_of(endpoint)
    for kind, error in kinds.items():
        events_until_error(client, kind, error)
        assert deltas(stream_of(client, modelId=kind)) == 12
    assert [row["fault"] for row in endpoint.settled(6)] == ["reset_in_stream", None, "cut_frame", None, "bad_crc", None]


def test_faults_strike_where_scripted(simulator):
    faults = [{"kind": "internal", "at": [2, 4]}, {"kind": "validation", "at": [4, 5]}]
    endpoint = simulator({"profile": {"ttft_s": 0.0, "tpot_s": 0.0}, "models": {"bad": {"faults": faults}}})
    client = client_of(endpoint)
    for model in ["good", "bad"] * 5:
        try:
            client.converse(**ask(modelId=model))
        except ClientError as error:
            assert model == "bad", error
    rows = [row for row in endpoint.settled(10) if row["model"] == "bad"]
    assert [row["fault"] for row in rows] == [None, "internal", None, "internal", "validation"]


def test_faults_by_rate_are_the_same_for_the_same_seed(simulator):
    profile = {"ttft_s": 0.0, "tpot_s": 0.0, "faults": [{"kind": "internal", "rate": 0.3}]}
    first, other = simulator({"seed": 5, "profile": profile}), simulator({"seed": 6, "profile": profile})
    struck = faults_of_100(first)
    first.reset()
    assert faults_of_100(first) == struck != faults_of_100(other)
    assert 15 <= sum(struck) <= 45  # 30 expected, sigma 4.6


def faults_of_100(endpoint: Any) -> list[bool]:
    """Whether each of a hundred requests met a fault."""
    client = client_of(endpoint)
    for _ in range(100):
        with suppress(ClientError):
            client.converse(**ask())
    return [row["fault"] is not None for row in endpoint.settled(100)]
