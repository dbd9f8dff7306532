"""Chat Completions of the simulator, read by a plain HTTP client: bodies, server-sent events, faults, the ledger."""

from __future__ import annotations

import http.client
import json
import time
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.simulator import Endpoint, simulator

__all__ = ["simulator"]

PATH = "/openai/v1/chat/completions"
MODEL = "openai.gpt-oss-120b-1:0"
FAST = {"ttft_s": 0.0, "tpot_s": 0.001}
KINDS = ["throttle_requests", "throttle_in_stream", "bad_crc", "early_end", "no_metadata", "no_message_stop", "guardrail"]
MODELS: dict[str, Any] = {
    "short": {"output_tokens": 6},
    "caches": {"cache": True},
    "reasons": {"reasoning_tokens": 5},
    "gpt-oss reasons": {"reasoning_tokens": 5},
    "slow": {"ttft_s": 0.2, "tpot_s": 0.02},
} | {kind: {"faults": [{"kind": kind, "at": [1], "after_events": 3}]} for kind in KINDS}


def ask(**more: Any) -> dict[str, Any]:
    """A body of 30 bytes of prompt and at most 12 tokens of answer."""
    prompt = "What is the capital of France?"
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "max_tokens": 12} | more


class Answered:
    """One answer: status, headers, the bytes, and when each line of them was read."""

    def __init__(self, endpoint: Endpoint, body: Any, **headers: str) -> None:
        place = urlsplit(endpoint.url)
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=10)
        self.sent_ns = time.monotonic_ns()
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("POST", PATH, content, {"content-type": "application/json"} | headers)
        answer = connection.getresponse()
        self.status, self.headers = answer.status, answer.headers
        self.lines: list[tuple[int, bytes]] = []
        while line := answer.readline():
            self.lines.append((time.monotonic_ns(), line))
        connection.close()

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(b"".join(line for _, line in self.lines))

    def data(self) -> list[tuple[int, str]]:
        """What each event of a stream holds; every event is one ``data`` line and an empty line."""
        assert all(line == b"\n" for _, line in self.lines[1::2])
        return [(at, line.decode().removeprefix("data: ").rstrip("\n")) for at, line in self.lines[::2]]

    def chunks(self) -> list[dict[str, Any]]:
        """The JSON events of a stream that ends as it should."""
        *chunks, last = [text for _, text in self.data()]
        assert last == "[DONE]"
        return [json.loads(chunk) for chunk in chunks]


def stream(**more: Any) -> dict[str, Any]:
    return ask(stream=True, stream_options={"include_usage": True}) | more


def contents(chunks: list[dict[str, Any]]) -> list[str]:
    return [text for chunk in chunks for choice in chunk["choices"] if (text := choice["delta"].get("content"))]


def test_a_whole_answer(endpoint):
    answered = Answered(endpoint, ask())
    body = answered.json()
    (row,) = endpoint.settled(1)
    assert (answered.status, answered.headers["content-type"]) == (200, "application/json")
    assert (body["object"], body["model"], body["id"]) == ("chat.completion", MODEL, f"chatcmpl-{row['request_id']}")
    (choice,) = body["choices"]
    assert (choice["message"]["role"], choice["finish_reason"]) == ("assistant", "length")
    # 30 bytes of prompt at four bytes a token, rounded up; twelve tokens of four bytes
    assert body["usage"] == {"prompt_tokens": 8, "completion_tokens": 12, "total_tokens": 20}
    assert len(choice["message"]["content"]) == 48


def test_a_stream_sends_role_content_finish_usage_and_done(endpoint):
    answered = Answered(endpoint, stream())
    chunks = answered.chunks()
    assert answered.headers["content-type"] == "text/event-stream"
    assert {(chunk["object"], chunk["model"]) for chunk in chunks} == {("chat.completion.chunk", MODEL)}
    assert {chunk["id"] for chunk in chunks} == {f"chatcmpl-{answered.headers['x-amzn-requestid']}"}
    assert chunks[0]["choices"] == [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]
    assert [len(text) for text in contents(chunks)] == [4] * 12
    assert chunks[-2]["choices"] == [{"index": 0, "delta": {}, "finish_reason": "length"}]
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["completion_tokens"]) == ([], 12)
    assert len(chunks) == 1 + 12 + 1 + 1


def test_a_stream_says_what_the_whole_answer_says(endpoint):
    whole = Answered(endpoint, ask()).json()["choices"][0]["message"]["content"]
    endpoint.reset()
    assert "".join(contents(Answered(endpoint, stream()).chunks())) == whole


def test_usage_comes_only_where_it_was_asked_for(endpoint):
    chunks = Answered(endpoint, ask(stream=True)).chunks()
    (row,) = endpoint.settled(1)
    assert not any("usage" in chunk for chunk in chunks)
    assert (row["completed"], row["stop_reason"], row["output_tokens"], row["tokens_sent"]) == (True, "max_tokens", None, 12)


@pytest.mark.timing
def test_the_ledger_has_the_request_and_the_stamps_of_its_content(endpoint):
    answered = Answered(endpoint, stream(model="slow"), **{"X-Request-ID": "mine-1"})
    content = [at for at, text in answered.data() if text != "[DONE]" and contents([json.loads(text)])]
    (row,) = endpoint.settled(1)
    assert (row["operation"], row["model"], row["invocation_id"]) == ("chat-completions", "slow", "mine-1")
    assert row["request_id"] == answered.headers["x-amzn-requestid"]
    assert (row["stream_events"], row["max_tokens"], row["input_tokens"], row["output_tokens"]) == (12, 12, 8, 12)
    assert (row["completed"], row["client_gone"], row["status"]) == (True, False, 200)
    assert all(read > written for read, written in zip(content, row["content_ns"], strict=True))
    assert row["first_content_ns"] - row["received_ns"] >= 200e6
    assert all(later - earlier >= 10e6 for earlier, later in pairwise(row["content_ns"]))
    assert answered.sent_ns <= row["received_ns"]


@pytest.mark.parametrize(
    ("more", "tokens"),
    [({"max_tokens": 5}, 5), ({"max_tokens": None, "max_completion_tokens": 7}, 7), ({"model": "short", "max_tokens": 50}, None)],
)
def test_the_answer_is_as_long_as_asked_or_ends_by_itself(endpoint, more, tokens):
    body = Answered(endpoint, ask(**more)).json()
    told = body["usage"]["completion_tokens"]
    assert body["choices"][0]["finish_reason"] == ("length" if tokens else "stop")
    assert told == tokens if tokens else 3 <= told <= 9


def test_system_and_developer_messages_are_read_and_are_no_prompt_text(endpoint):
    messages = [{"role": role, "content": "abcdefg"} for role in ("system", "developer", "user")]
    usage = Answered(endpoint, ask(messages=messages)).json()["usage"]
    (row,) = endpoint.settled(1)
    # three times seven bytes, joined by two line ends: 23 bytes
    assert (usage["prompt_tokens"], row["prompt_bytes"]) == (6, 7)


def test_content_may_be_parts_and_stop_a_string(endpoint):
    first = Answered(endpoint, ask(messages=[{"role": "user", "content": [{"type": "text", "text": "Hello"}]}])).json()
    said = first["choices"][0]["message"]["content"]
    endpoint.reset()
    stop = said[20:30]
    body = Answered(endpoint, ask(messages=[{"role": "user", "content": "Hello"}], stop=stop)).json()
    assert body["choices"][0]["message"]["content"] == said[: said.find(stop)]
    assert body["choices"][0]["finish_reason"] == "stop"


def test_reasoning_comes_first(endpoint):
    chunks = Answered(endpoint, stream(model="reasons")).chunks()
    thought = [choice["delta"]["reasoning_content"] for chunk in chunks[1:6] for choice in chunk["choices"]]
    usage = chunks[-1]["usage"]
    assert (len(thought), len(contents(chunks)), usage["completion_tokens"]) == (5, 7, 12)
    assert usage["completion_tokens_details"] == {"reasoning_tokens": 5}


def test_gpt_oss_tells_its_reasoning_in_the_content(endpoint):
    said = contents(Answered(endpoint, stream(model="gpt-oss reasons")).chunks())
    assert (len(said), said[0].startswith("<reasoning>"), said[4].endswith("</reasoning>")) == (12, True, True)


def test_tokens_read_from_the_cache_are_part_of_the_prompt(endpoint):
    messages = [{"role": "user", "content": "word " * 256 + "a"}]
    seen = [Answered(endpoint, ask(model="caches", messages=messages)).json()["usage"] for _ in range(2)]
    # 1281 bytes: five whole blocks of 256 bytes, and a byte
    assert [usage["prompt_tokens_details"]["cached_tokens"] for usage in seen] == [0, 320]
    assert {usage["prompt_tokens"] for usage in seen} == {321}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        ask(model=None),
        ask(messages=[]),
        ask(messages=7),
        ask(max_tokens=0),
        ask(max_completion_tokens=0),
        ask(stop=3),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_in_openais_words_and_awss_header(endpoint, body):
    answered = Answered(endpoint, body)
    assert answered.status == 400
    assert answered.headers["x-amzn-errortype"].startswith("ValidationException")
    assert answered.json()["error"]["type"] == "invalid_request_error"
    assert endpoint.counts()["by_error"] == {"ValidationException": 1}


def test_other_paths_below_openai_are_unknown_operations(endpoint):
    place = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=10)
    connection.request("GET", PATH)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert (answer.status, endpoint.counts()["by_error"]) == (404, {"UnknownOperationException": 1})


def test_a_bearer_key_is_checked(simulator):
    endpoint = simulator({"profile": FAST, "bearer_key": "right"})
    assert Answered(endpoint, ask(), Authorization="Bearer right").status == 200
    refused = Answered(endpoint, ask(), Authorization="Bearer wrong")
    assert (refused.status, refused.headers["x-amzn-errortype"].split(":")[0]) == (403, "AccessDeniedException")


def test_a_throttled_request(endpoint):
    answered = Answered(endpoint, stream(model="throttle_requests"))
    error = answered.json()["error"]
    assert (answered.status, error["message"]) == (429, "Too many requests, please wait before trying again.")
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")


def test_an_error_within_the_stream_is_an_event_and_the_stream_is_not_done(endpoint):
    data = [json.loads(text) for _, text in Answered(endpoint, stream(model="throttle_in_stream")).data()]
    (row,) = endpoint.settled(1)
    assert len(contents(data[:-1])) == 3
    error = {"type": "rate_limit_error", "code": "rate_limit_exceeded", "param": None, "message": ""}
    assert data[-1]["error"] | {"message": ""} == error
    assert (row["error"], row["completed"]) == ("ThrottlingException", False)


def test_an_early_end_has_neither_finish_reason_nor_done(endpoint):
    data = [json.loads(text) for _, text in Answered(endpoint, stream(model="early_end")).data()]
    assert len(contents(data)) == 3
    assert {choice["finish_reason"] for chunk in data for choice in chunk["choices"]} == {None}
    assert endpoint.settled(1)[0]["completed"] is False


def test_faults_of_the_end_of_a_stream(endpoint):
    without_usage = Answered(endpoint, stream(model="no_metadata")).chunks()
    assert not any("usage" in chunk for chunk in without_usage)
    without_stop = [json.loads(text) for _, text in Answered(endpoint, stream(model="no_message_stop")).data()]
    assert without_stop[-1]["usage"]["completion_tokens"] == 12
    assert {choice["finish_reason"] for chunk in without_stop for choice in chunk["choices"]} == {None}
    guarded = Answered(endpoint, stream(model="guardrail")).chunks()
    assert guarded[-2]["choices"][0]["finish_reason"] == "content_filter"
    assert [row["completed"] for row in endpoint.settled(3)] == [False] * 3


def test_server_sent_events_have_no_checksum_that_could_be_wrong(endpoint):
    chunks = Answered(endpoint, stream(model="bad_crc")).chunks()
    (row,) = endpoint.settled(1)
    assert (len(contents(chunks)), row["fault"], row["completed"]) == (12, None, True)
