"""Prompt caching on purpose, against a simulator that caches by points: cold, written and hit are what ``usage`` says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fmbench.bedrock.caller import Caller, Endpoint
from fmbench.config.schema import CachePoints, Config, Inference, Model, Timeouts
from fmbench.core.failures import UnusableInput
from fmbench.core.records import Exchange, Prompt
from fmbench.prompts.payload import salt_of
from tests.support.simulator import Endpoint as Simulated
from tests.support.simulator import running

CONTEXT, QUESTION = "The harbour. " * 400, "\n\nWho keeps the light?"  # 5,200 characters of context: 1,300 tokens
PROMPT = Prompt(prompt_id="p", text=CONTEXT + QUESTION, tokens=1, dataset="t", language="en", shared=len(CONTEXT))
HAIKU, NOVA = "us.anthropic.claude-haiku-4-5-20251001-v1:0", "us.amazon.nova-lite-v1:0"
WAYS = [(HAIKU, "converse-stream"), (HAIKU, "messages"), (HAIKU, "messages-whole"), (HAIKU, "invoke-stream"), (NOVA, "invoke")]
FAST = {"ttft_s": 0.0, "tpot_s": 0.0, "output_tokens": 5, "cache": "points"}


def caller_of(model_id: str, api: str, url: str, system: str | None = None, **cache: Any) -> tuple[Caller, Config]:
    model, inference = Model(id=model_id, api=api), Inference(max_tokens=10, system=system)
    config = Config(models=[model], inference=inference, cache=CachePoints(**cache))
    return Caller(model, inference, "us-east-1", Timeouts(), 1, False, Endpoint(url), config.cache_points(model)), config


def ask(endpoint: Simulated, model_id: str, api: str, times: int, **cache: Any) -> list[Exchange]:
    caller, config = caller_of(model_id, api, endpoint.url, **cache)
    prepared = caller.prepare(PROMPT, config.salted(config.models[0]))
    return [caller.call(prepared, salt_of(number, api) if config.salted(config.models[0]) else None) for number in range(times)]


@pytest.mark.parametrize(("model_id", "api"), WAYS)
def test_a_second_request_hits_and_the_first_writes(model_id: str, api: str) -> None:
    with running({"profile": FAST}) as endpoint:
        first, second = ask(endpoint, model_id, api, 2, mode="hit", ttl="5m")
    assert (first.failure, second.failure) == (None, None)
    assert (first.usage.cache_read_tokens, first.usage.cache_write_tokens) == (0, 1300)
    assert (second.usage.cache_read_tokens, second.usage.cache_write_tokens) == (1300, 0)
    assert first.usage.input_tokens == second.usage.input_tokens == 6  # a line end, and 21 bytes of question


@pytest.mark.parametrize(("model_id", "api"), WAYS[:3])
def test_writes_for_an_hour_are_counted_apart(model_id: str, api: str) -> None:
    with running({"profile": FAST}) as endpoint:
        first, second = ask(endpoint, model_id, api, 2, mode="write", ttl="1h")
    assert first.usage.cache_read_tokens == second.usage.cache_read_tokens == 0
    assert first.usage.cache_write_1h_tokens == first.usage.cache_write_tokens == second.usage.cache_write_1h_tokens
    assert 1300 < (first.usage.cache_write_tokens or 0) < 1320  # the salt is in it


@pytest.mark.parametrize(("model_id", "api"), WAYS)
def test_cold_requests_neither_read_nor_write(model_id: str, api: str) -> None:
    with running({"profile": FAST}) as endpoint:
        answers = ask(endpoint, model_id, api, 2, mode="cold")
    assert [(answer.usage.cache_read_tokens, answer.usage.cache_write_tokens) for answer in answers] == [(0, 0), (0, 0)]


def test_what_is_too_short_is_not_cached_and_nothing_is_said() -> None:
    with running({"profile": FAST | {"cache_min_tokens": 2048}}) as endpoint:
        answers = ask(endpoint, HAIKU, "messages", 2, mode="hit")
    assert [answer.usage.cache_read_tokens for answer in answers] == [0, 0]


def body(model_id: str, api: str, salt: str | None = None, system: str | None = None, **cache: Any) -> dict[str, Any]:
    caller, config = caller_of(model_id, api, "http://127.0.0.1:9", system, **cache)
    return dict(json.loads(caller.prepare(PROMPT, config.salted(config.models[0])).body(salt)))


def test_the_points_of_converse() -> None:
    sent = body(NOVA, "converse", system="Be brief.", points=["system", "context"])
    point = {"cachePoint": {"type": "default"}}
    assert sent["system"] == [{"text": "Be brief."}, point]
    assert sent["messages"][0]["content"] == [{"text": CONTEXT}, point, {"text": QUESTION}]


def test_the_points_of_messages_and_a_salt_at_the_start_of_what_is_cached() -> None:
    salt = "1" * 18
    sent = body(HAIKU, "messages", salt, system="Be brief.", points=["system", "context"], ttl="1h", mode="write")
    control = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert sent["system"] == [{"type": "text", "text": f"Request {salt}.\n\nBe brief."} | control]
    assert sent["messages"][0]["content"] == [{"type": "text", "text": CONTEXT} | control, {"type": "text", "text": QUESTION}]
    sent = body(HAIKU, "messages", salt, points=["context"], mode="write")
    assert sent["messages"][0]["content"][0]["text"] == f"Request {salt}.\n\n{CONTEXT}"


@pytest.mark.parametrize(
    ("model_id", "api"),
    [("openai.gpt-oss-20b-1:0", "chat"), ("us.openai.gpt-6-sol", "responses"), ("cohere.command-r-v1:0", "invoke")],
)
def test_an_api_without_a_place_for_points_says_so(model_id: str, api: str) -> None:
    with pytest.raises(UnusableInput, match=r"cache\.points"):
        body(model_id, api, points=["context"])
