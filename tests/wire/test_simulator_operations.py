"""Real boto3 against the simulator: each operation, each body family, as AWS shapes them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.boto import ARN, MODEL, ask, client_of, stream_of
from tests.support.simulator import simulator

__all__ = ["simulator"]

FAST = {"ttft_s": 0.0, "tpot_s": 0.0}
MODELS = {
    "reasons": {"reasoning_tokens": 5},
    "fives": {"tokens_per_event": 5},
    "short": {"output_tokens": 6},
    "small": {"max_output_tokens": 30},
    "caches": {"cache": True},
}


@pytest.fixture
def client(endpoint):
    return client_of(endpoint)


def test_converse_stream_sends_the_events_in_aws_order(client):
    events = stream_of(client)
    names = [next(iter(event)) for event in events]
    assert names == ["messageStart", *["contentBlockDelta"] * 12, "contentBlockStop", "messageStop", "metadata"]
    assert events[-2]["messageStop"]["stopReason"] == "max_tokens"
    usage = events[-1]["metadata"]["usage"]
    # 30 bytes of prompt at four bytes a token, rounded up
    assert (usage["inputTokens"], usage["outputTokens"], usage["totalTokens"]) == (8, 12, 20)
    assert events[-1]["metadata"]["metrics"]["latencyMs"] >= 0


def test_a_reasoning_model_streams_reasoning_before_text(client):
    events = stream_of(client, modelId="reasons")
    deltas = [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]
    assert [("reasoningContent" in delta["delta"], delta["contentBlockIndex"]) for delta in deltas] == [
        *[(True, 0)] * 5,
        *[(False, 1)] * 7,
    ]
    assert [event["contentBlockStop"]["contentBlockIndex"] for event in events if "contentBlockStop" in event] == [0, 1]


def test_tokens_can_come_several_at_a_time(client):
    events = stream_of(client, modelId="fives")
    texts = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert [len(text) for text in texts] == [20, 20, 8]
    assert events[-1]["metadata"]["usage"]["outputTokens"] == 12


def test_converse_answers_whole_and_as_asked(client):
    answer = client.converse(**ask(modelId=ARN, performanceConfig={"latency": "optimized"}, serviceTier={"type": "flex"}))
    assert len(answer["output"]["message"]["content"][0]["text"]) == 12 * 4
    assert answer["stopReason"] == "max_tokens"
    assert answer["usage"] == {"inputTokens": 8, "outputTokens": 12, "totalTokens": 20}
    assert answer["performanceConfig"] == {"latency": "optimized"}
    assert answer["serviceTier"] == {"type": "flex"}


def test_a_model_id_may_be_any_arn(endpoint, client):
    client.converse(**ask(modelId=ARN))
    assert endpoint.ledger()[0]["model"] == ARN


def test_an_answer_ends_by_itself_when_its_profile_says_so(client):
    answers = [client.converse(**ask(modelId="short", inferenceConfig={"maxTokens": 50})) for _ in range(20)]
    lengths = [answer["usage"]["outputTokens"] for answer in answers]
    assert {answer["stopReason"] for answer in answers} == {"end_turn"}
    assert set(lengths) <= set(range(3, 10))
    assert len(set(lengths)) > 1


def test_a_stop_sequence_ends_the_answer_before_it(client):
    config = {"maxTokens": 2000, "stopSequences": ["harbour"]}
    answer = client.converse(**ask(inferenceConfig=config))
    assert answer["stopReason"] == "stop_sequence"
    assert "harbour" not in answer["output"]["message"]["content"][0]["text"]
    assert answer["usage"]["outputTokens"] < 2000


def test_max_tokens_may_be_left_out(client):
    assert client.converse(modelId="small", messages=ask()["messages"])["usage"]["outputTokens"] == 30


def test_count_tokens(client):
    converse = {"messages": ask()["messages"], "system": [{"text": "Be short."}]}
    assert client.count_tokens(modelId=MODEL, input={"converse": converse})["inputTokens"] == 10  # 30 + 1 + 9 bytes
    model, body, *_paths = BODIES["llama"]
    assert client.count_tokens(modelId=model, input={"invokeModel": {"body": json.dumps(body)}})["inputTokens"] == 10


PROMPT = "x" * 40
CHAT = [{"role": "user", "content": PROMPT}]
BODIES: dict[str, tuple[str, dict[str, Any], tuple[Any, ...], tuple[Any, ...]]] = {
    "anthropic": (
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": CHAT},
        ("content", 0, "text"),
        ("delta", "text"),
    ),
    "nova": (
        "us.amazon.nova-pro-v1:0",
        {"messages": [{"role": "user", "content": [{"text": PROMPT}]}], "inferenceConfig": {"maxTokens": 9}},
        ("output", "message", "content", 0, "text"),
        ("contentBlockDelta", "delta", "text"),
    ),
    "llama": ("meta.llama3-1-8b-instruct-v1:0", {"prompt": PROMPT, "max_gen_len": 9}, ("generation",), ("generation",)),
    "mistral": (
        "mistral.mistral-7b-instruct-v0:2",
        {"prompt": PROMPT, "max_tokens": 9},
        ("outputs", 0, "text"),
        ("outputs", 0, "text"),
    ),
    "titan": (
        "amazon.titan-text-express-v1",
        {"inputText": PROMPT, "textGenerationConfig": {"maxTokenCount": 9}},
        ("results", 0, "outputText"),
        ("outputText",),
    ),
    "cohere": ("cohere.command-r-v1:0", {"message": PROMPT, "max_tokens": 9}, ("text",), ("text",)),
    "ai21": (
        "ai21.jamba-1-5-mini-v1:0",
        {"messages": CHAT, "max_tokens": 9},
        ("choices", 0, "message", "content"),
        ("choices", 0, "delta", "content"),
    ),
    "chat": (
        "qwen.qwen3-32b-v1:0",
        {"messages": CHAT, "max_tokens": 9},
        ("choices", 0, "message", "content"),
        ("choices", 0, "delta", "content"),
    ),
    "deepseek": (
        "us.deepseek.r1-v1:0",
        {"prompt": PROMPT, "max_tokens": 9},
        ("choices", 0, "text"),
        ("choices", 0, "text"),
    ),
}


def dig(value: Any, path: tuple[Any, ...]) -> Any:
    """What is at ``path``; None where there is nothing."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


@pytest.mark.parametrize("family", BODIES)
def test_invoke_model_speaks_the_family(client, family):
    model, body, whole, _piece = BODIES[family]
    answer = client.invoke_model(modelId=model, body=json.dumps(body))
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert len(dig(json.loads(answer["body"].read()), whole)) == 9 * 4
    assert headers["x-amzn-bedrock-input-token-count"] == "10"
    assert headers["x-amzn-bedrock-output-token-count"] == "9"
    assert int(headers["x-amzn-bedrock-invocation-latency"]) >= 0


@pytest.mark.parametrize("family", BODIES)
def test_invoke_stream_speaks_the_family(client, family):
    model, body, _whole, piece = BODIES[family]
    answer = client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body), serviceTier="priority")
    parts = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
    assert len("".join(dig(part, piece) or "" for part in parts)) == 9 * 4
    metrics = parts[-1]["amazon-bedrock-invocationMetrics"]
    assert (metrics["inputTokenCount"], metrics["outputTokenCount"]) == (10, 9)
    assert metrics["firstByteLatency"] <= metrics["invocationLatency"]
    assert [part for part in parts[:-1] if "amazon-bedrock-invocationMetrics" in part] == []
    assert answer["serviceTier"] == "priority"


REFUSED = {
    "no message": (ask(messages=[]), "messages is empty"),
    "blank text": (ask(" "), "is blank"),
    "assistant first": (ask(messages=[{"role": "assistant", "content": [{"text": "hi"}]}]), "must start with a user message"),
    "temperature": (ask(inferenceConfig={"temperature": 1.5}), "inferenceConfig.temperature"),
    "top p": (ask(inferenceConfig={"topP": -0.5}), "inferenceConfig.topP"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_aws_refuses_is_refused(endpoint, case):
    request, words = REFUSED[case]
    with pytest.raises(ClientError, match=words) as caught:
        client_of(endpoint, parameter_validation=False).converse(**request)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("operation", ["converse", "invoke", "count-tokens"])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"messages": 7}', b'{"messages": [[]], "system": 3, "input": 3}'])
def test_a_body_that_makes_no_sense_is_a_validation_exception(endpoint, operation, body):
    request = urllib.request.Request(f"{endpoint.url}/model/anthropic.x/{operation}", data=body, method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    with caught.value as answer:
        assert answer.code == 400
        assert answer.headers["x-amzn-errortype"].startswith("ValidationException")
    assert endpoint.counts()["by_error"] == {"ValidationException": 1}


def test_an_operation_that_there_is_not_is_a_404(client):
    with pytest.raises(ClientError) as caught:
        client.list_async_invokes()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"


def test_the_request_id_is_the_ledgers(endpoint, client):
    answer = client.converse(**ask())
    row = endpoint.ledger()[0]
    assert answer["ResponseMetadata"]["RequestId"] == row["request_id"]


def test_a_large_prompt_is_read_whole(endpoint, client):
    answer = client.converse(**ask("ä" * 3_000_000))
    assert answer["usage"]["inputTokens"] == 1_500_000
    assert endpoint.ledger()[0]["prompt_bytes"] == 6_000_000


def test_tls_with_its_own_authority(simulator):
    endpoint = simulator({"profile": FAST, "tls": True})
    assert endpoint.url.startswith("https://")
    client = client_of(endpoint)
    assert stream_of(client)[-1]["metadata"]["usage"]["outputTokens"] == 12
    assert client.converse(**ask("long " * 100_000))["usage"]["inputTokens"] == 125_000
    assert endpoint.counts()["connections"] == 1


def test_a_bearer_key_is_checked(simulator, monkeypatch):
    endpoint = simulator({"profile": FAST, "tls": True, "bearer_key": "right"})
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "right")
    bearer = client_of(endpoint, signature_version=None)
    assert bearer.converse(**ask())["usage"]["outputTokens"] == 12
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "wrong")
    with pytest.raises(ClientError, match="API Key") as caught:
        client_of(endpoint, signature_version=None).converse(**ask())
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_a_prompt_cache_reads_what_it_has_seen(client):
    seen = [client.converse(**ask("word " * 256 + tail, modelId="caches"))["usage"] for tail in ("a", "a", "b")]
    # 1281 bytes: five whole blocks of 256 bytes, and a byte
    assert [usage["cacheWriteInputTokens"] for usage in seen] == [320, 0, 0]
    assert [usage["cacheReadInputTokens"] for usage in seen] == [0, 320, 320]
    assert [usage["inputTokens"] for usage in seen] == [1, 1, 1]
    assert {usage["totalTokens"] for usage in seen} == {333}
