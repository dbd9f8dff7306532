"""Messages, Responses and Chat Completions against the simulator: facts equal its ledger, every fault has its word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import pytest

from fmbench.core.failures import FailureKind
from fmbench.simulator.behaviour import FaultKind
from tests.bedrock.asking import PROMPT, Ask, Asker, here
from tests.support.simulator import Endpoint, running
from tests.wire.test_caller_simulator import DEADLINES, WORDS

FAST = {"ttft_s": 0.005, "tpot_s": 0.001, "output_tokens": 12}
MODELS = {
    "messages": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "responses": "us.openai.gpt-6-sol",
    "chat": "openai.gpt-oss-120b-1:0",
}
MANTLE = {"messages": "anthropic.claude-haiku-4-5", "responses": "openai.gpt-6-sol", "chat": "zai.glm-5"}
PATHS = {
    "messages": "messages",
    "responses": "responses",
    "chat": "chat-completions",
}
APIS = [f"{kind}{form}" for kind in MODELS for form in ("", "-whole")]
STREAM_ONLY = {"throttle_in_stream", "model_stream_error", "internal_in_stream", "unavailable_in_stream", "validation_in_stream"}
STREAM_ONLY |= {"no_message_stop"}


def model(api: str, endpoint: str = "runtime", **more: Any) -> dict[str, Any]:
    kind = api.removesuffix("-whole")
    return {"id": (MODELS if endpoint == "runtime" else MANTLE)[kind], "api": api, "endpoint": endpoint} | more


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with running({"profile": FAST, "models": {"openai.gpt-6-luna": {"cache": True}}}) as one:
        yield one


@pytest.mark.parametrize("service", ["runtime", "mantle"])
@pytest.mark.parametrize("api", APIS)
def test_an_answer_is_what_the_ledger_says(endpoint: Endpoint, patched: Asker, api: str, service: str) -> None:
    endpoint.reset()
    [exchange] = patched(Ask(endpoint.url, model=model(api, service), keep_text=True, text=PROMPT + " Über alles."))
    [row] = endpoint.settled(1)
    assert exchange.failure is None, exchange.message
    assert row["operation"] == PATHS[api.removesuffix("-whole")]
    assert exchange.usage.input_tokens == row["input_tokens"] == row["prompt_tokens"]
    assert exchange.usage.output_tokens == row["output_tokens"] == row["tokens_sent"]
    assert exchange.request_id == row["request_id"]
    assert row["max_tokens"] == 20
    assert exchange.text and len(exchange.text) <= row["output_tokens"] * 4
    assert len(exchange.content_ns) == (0 if api.endswith("-whole") else row["output_tokens"])


@pytest.mark.timing
@pytest.mark.parametrize("keep_text", [True, False])
@pytest.mark.parametrize("kind", MODELS)
def test_stamps_are_those_of_the_writes(endpoint: Endpoint, kind: str, keep_text: bool) -> None:
    endpoint.reset()
    exchanges = here(Ask(endpoint.url, model=model(kind), keep_text=keep_text, times=3))
    rows = endpoint.settled(3)
    for exchange, row in zip(exchanges, rows, strict=True):
        late = [read - wrote for read, wrote in zip(exchange.content_ns, row["content_ns"], strict=True)]
        assert min(late) >= 0
        assert sorted(late)[len(late) // 2] < 5e6
        assert exchange.first_text_ns == exchange.first_content_ns == exchange.content_ns[0]


@pytest.mark.parametrize("kind", MODELS)
def test_thinking_comes_before_the_first_visible_text(kind: str) -> None:
    with running({"profile": FAST | {"reasoning_tokens": 7, "output_tokens": 20, "tpot_s": 0.005}}) as one:
        [exchange] = here(Ask(one.url, model=model(kind), inference={"max_tokens": 40}))
        [whole] = here(Ask(one.url, model=model(f"{kind}-whole"), inference={"max_tokens": 40}, keep_text=True))
        rows = one.settled(2)
    assert exchange.failure is None and whole.failure is None
    assert exchange.usage.reasoning_tokens == whole.usage.reasoning_tokens == 7
    assert exchange.first_text_ns == exchange.content_ns[7] > exchange.content_ns[0]
    assert whole.text is not None and len(whole.text) == 4 * (rows[1]["output_tokens"] - 7)


def kinds_of(api: str) -> list[str]:
    return [kind for kind in get_args(FaultKind) if kind != "bad_crc" and (kind not in STREAM_ONLY or not api.endswith("-whole"))]


def word_of(api: str, kind: str) -> FailureKind:
    """Anthropic has no type for a stream that a model broke off: it is an error of the service."""
    if (api, kind) == ("messages", "model_stream_error"):
        return FailureKind.INTERNAL
    if api.endswith("-whole") and kind in ("reset_in_stream", "early_end", "cut_frame"):
        return FailureKind.RESET_IN_STREAM if kind == "reset_in_stream" else FailureKind.TRUNCATED
    return WORDS[kind]


@pytest.mark.parametrize("api", APIS)
def test_every_fault_has_its_word(patched: Asker, api: str) -> None:
    quick = [kind for kind in kinds_of(api) if kind not in ("stall_before_response", "stall_in_stream", "drip")]
    faults = [{"kind": kind, "at": [number], "after_events": 3} for number, kind in enumerate(quick, 1)]
    with running({"profile": FAST | {"faults": faults}}) as one:
        asked = Ask(one.url, model=model(api), timeouts=DEADLINES)
        words = {kind: patched(asked)[0].failure for kind in quick}
        assert len(one.settled(len(quick))) == len(quick)
    assert words == {kind: word_of(api, kind) for kind in quick}


@pytest.mark.parametrize("api", ["messages", "chat-whole", "responses"])
def test_waiting_ends_at_its_deadline(patched: Asker, api: str) -> None:
    kinds = ["stall_before_response", "stall_in_stream"]
    deadlines = {"first_byte_s": 0.3, "between_bytes_s": 0.3, "total_s": 2.5}
    faults = [{"kind": kind, "at": [number], "after_events": 3, "seconds": 2} for number, kind in enumerate(kinds, 1)]
    with running({"profile": FAST | {"faults": faults}}) as one:
        asked = Ask(one.url, model=model(api), timeouts=deadlines)
        assert [patched(asked)[0].failure for _ in kinds] == [
            FailureKind.TIMEOUT_FIRST_BYTE,
            FailureKind.TIMEOUT_FIRST_BYTE if api == "chat" else FailureKind.TIMEOUT_BETWEEN_BYTES,
        ]


def test_what_a_cache_read_is_not_counted_as_input(endpoint: Endpoint) -> None:
    endpoint.reset()
    asked = {"id": "openai.gpt-6-luna", "endpoint": "mantle"}
    text = "word " * 400
    for api in ("chat", "responses-whole"):
        here(Ask(endpoint.url, model=asked | {"api": api}, text=text))
    rows = endpoint.settled(2)
    [again] = here(Ask(endpoint.url, model=asked | {"api": "responses"}, text=text))
    assert again.usage.cache_read_tokens == rows[1]["cache_read_tokens"] > 0
    assert again.usage.input_tokens == rows[1]["input_tokens"]


def test_a_bearer_key_goes_where_a_signature_would(monkeypatch: pytest.MonkeyPatch) -> None:
    with running({"profile": FAST, "tls": True, "bearer_key": "a-key-of-mine"}) as one:
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "a-key-of-mine")
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", one.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_MANTLE", one.url)
        for service in ("runtime", "mantle"):
            for api in ("messages", "chat-whole", "responses"):
                asked = Ask(None, ca_bundle=one.ca_bundle, model=model(api, service), region="us-east-1")
                [exchange] = here(asked)
                assert exchange.failure is None, exchange.message
