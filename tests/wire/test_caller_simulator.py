"""Real requests to the simulator, held against its ledger: facts equal, every injected fault under its word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest

from fmbench.core.failures import FailureKind
from fmbench.simulator import start
from fmbench.simulator.behaviour import FaultKind, Simulator
from tests.bedrock.asking import NOVA, SALT, Ask, Asker, caller_for, here, prompt
from tests.support.simulator import Endpoint, simulator

__all__ = ["simulator"]
Start = Callable[[dict[str, Any]], Endpoint]
FAST = {"ttft_s": 0.01, "tpot_s": 0.001}

WORDS: dict[str, FailureKind] = {
    "throttle_requests": FailureKind.THROTTLED_REQUESTS,
    "throttle_tokens": FailureKind.THROTTLED_TOKENS,
    "throttle_daily": FailureKind.THROTTLED_DAILY,
    "throttle_in_stream": FailureKind.THROTTLED_IN_STREAM,
    "service_quota": FailureKind.QUOTA,
    "access_denied": FailureKind.ACCESS_DENIED,
    "expired_credentials": FailureKind.EXPIRED_CREDENTIALS,
    "not_found": FailureKind.NOT_FOUND,
    "validation": FailureKind.VALIDATION,
    "model_timeout": FailureKind.MODEL_TIMEOUT,
    "model_not_ready": FailureKind.MODEL_NOT_READY,
    "model_error": FailureKind.MODEL_ERROR,
    "model_stream_error": FailureKind.MODEL_STREAM_ERROR,
    "internal": FailureKind.INTERNAL,
    "internal_in_stream": FailureKind.INTERNAL,
    "service_unavailable": FailureKind.SERVICE_UNAVAILABLE,
    "unavailable_in_stream": FailureKind.SERVICE_UNAVAILABLE,
    "validation_in_stream": FailureKind.VALIDATION,
    "reset_before_response": FailureKind.RESET_BEFORE_RESPONSE,
    "close_before_response": FailureKind.RESET_BEFORE_RESPONSE,
    "reset_in_stream": FailureKind.RESET_IN_STREAM,
    "early_end": FailureKind.TRUNCATED,
    "cut_frame": FailureKind.TRUNCATED,
    "bad_crc": FailureKind.CORRUPT_FRAME,
    "stall_before_response": FailureKind.TIMEOUT_FIRST_BYTE,
    "stall_in_stream": FailureKind.TIMEOUT_BETWEEN_BYTES,
    "drip": FailureKind.TIMEOUT_TOTAL,
    "no_metadata": FailureKind.NO_USAGE,
    "no_message_stop": FailureKind.TRUNCATED,
    "html_error": FailureKind.SERVICE_UNAVAILABLE,
    "html_ok": FailureKind.BAD_RESPONSE,
    "wrong_content_type": FailureKind.BAD_RESPONSE,
    "guardrail": FailureKind.GUARDRAIL,
}
DEADLINES = {"first_byte_s": 1.0, "between_bytes_s": 1.0, "total_s": 2.5}
MODELS = {
    "anthropic": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "nova": NOVA,
    "llama": "us.meta.llama3-3-70b-instruct-v1:0",
    "mistral": "mistral.mistral-large-2402-v1:0",
    "mistral chat": "us.mistral.pixtral-large-2502-v1:0",
    "titan": "amazon.titan-text-express-v1",
    "cohere": "cohere.command-r-plus-v1:0",
    "ai21": "ai21.jamba-1-5-large-v1:0",
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with start(Simulator.model_validate({"profile": FAST | {"output_tokens": 12}})) as running:
        yield Endpoint(running)


def test_every_fault_that_can_be_injected_is_here() -> None:
    assert set(WORDS) == set(get_args(FaultKind))


@pytest.mark.parametrize("api", ["converse-stream", "invoke-stream"])
def test_every_injected_fault_is_found_under_its_word(simulator: Start, patched: Asker, api: str) -> None:
    faults = [
        {"kind": kind, "at": [number], "seconds": 0.4 if kind == "drip" else 5.0, "after_events": 3}
        for number, kind in enumerate(WORDS, start=1)
    ]
    endpoint = simulator({"profile": FAST | {"faults": faults}})
    found = {}
    for kind in WORDS:
        ask = Ask(endpoint.url, model={"id": NOVA, "api": api}, inference={"max_tokens": 20}, timeouts=DEADLINES)
        [found[kind]] = patched(ask)
    rows = endpoint.ledger()
    assert {kind: exchange.failure for kind, exchange in found.items()} == WORDS
    assert [row["fault"] for row in rows] == list(WORDS)
    for row, exchange in zip(rows, found.values(), strict=True):
        assert exchange.failure is not None
        assert exchange.request_id in (row["request_id"], None)
        assert len(exchange.content_ns) <= row["stream_events"]
        if "stream" in row["fault"] and exchange.failure != FailureKind.TIMEOUT_FIRST_BYTE:
            assert len(exchange.content_ns) == 3


@pytest.mark.parametrize("api", ["converse-stream", "converse", "invoke-stream", "invoke"])
@pytest.mark.parametrize("model_id", MODELS.values(), ids=MODELS.keys())
def test_facts_are_the_ledgers(endpoint: Endpoint, api: str, model_id: str) -> None:
    endpoint.reset()
    ask = Ask(endpoint.url, model={"id": model_id, "api": api}, inference={"max_tokens": 30}, keep_text=True, times=3)
    exchanges = here(ask)
    rows = endpoint.settled(3)
    for exchange, row in zip(exchanges, rows, strict=True):
        assert exchange.failure is None, exchange.message
        assert exchange.request_id == row["request_id"]
        assert exchange.usage.input_tokens == row["input_tokens"]
        assert exchange.usage.output_tokens == row["output_tokens"]
        assert exchange.text and exchange.stop_reason and exchange.server_latency_s is not None
        assert row["max_tokens"] == 30
        if api.endswith("stream"):
            assert len(exchange.content_ns) == row["stream_events"]
            assert exchange.first_content_ns is not None and exchange.sent_ns is not None
            assert exchange.sent_ns <= row["complete_ns"] <= row["first_content_ns"] <= exchange.first_content_ns
        else:
            assert exchange.first_content_ns is None and exchange.content_ns == []
    assert [row["connection"] for row in rows] == [rows[0]["connection"]] * 3
    assert [exchange.connect_s is None for exchange in exchanges] == [False, True, True]


def test_many_greenlets_at_once_read_what_the_ledger_wrote(simulator: Start, patched: Asker) -> None:
    endpoint = simulator({"profile": {"ttft_s": 0.2, "tpot_s": 0.005, "jitter": 0.3, "reasoning_tokens": 4}})
    exchanges = patched(Ask(endpoint.url, inference={"max_tokens": 40}, times=32))
    rows = {row["request_id"]: row for row in endpoint.settled(32)}
    for exchange in exchanges:
        assert exchange.failure is None
        row = rows[str(exchange.request_id)]
        assert len(exchange.content_ns) == row["stream_events"]
        assert exchange.content_ns == sorted(exchange.content_ns)
        assert all(read >= written for read, written in zip(exchange.content_ns, row["content_ns"], strict=True))
        assert exchange.first_text_ns == exchange.content_ns[4]
    assert len(rows) == 32


def test_tiers_and_modes_are_recorded_as_served(simulator: Start) -> None:
    endpoint = simulator({"profile": FAST})
    asked = {"performance_config": {"latency": "optimized"}, "service_tier": {"type": "flex"}, "max_tokens": 4}
    for api in ("converse-stream", "converse", "invoke-stream", "invoke"):
        [exchange] = here(Ask(endpoint.url, model={"id": NOVA, "api": api}, inference=asked))
        assert (exchange.failure, exchange.latency_mode, exchange.service_tier) == (None, "optimized", "flex"), api


def test_cached_tokens_are_counted_apart(simulator: Start) -> None:
    endpoint = simulator({"profile": FAST | {"cache": True}})
    caller = caller_for(Ask(endpoint.url))
    prepared = caller.prepare(prompt("words " * 3000), salted=False)
    exchanges = [caller.call(prepared, None) for _ in range(2)]
    for exchange, row in zip(exchanges, endpoint.settled(2), strict=True):
        assert exchange.usage.cache_read_tokens == row["cache_read_tokens"]
        assert exchange.usage.cache_write_tokens == row["cache_write_tokens"]
        assert exchange.usage.input_tokens == row["input_tokens"]
    assert exchanges[1].usage.cache_read_tokens


def test_over_tls_with_its_own_authority(simulator: Start, patched: Asker) -> None:
    endpoint = simulator({"tls": True, "profile": FAST})
    exchanges = patched(Ask(endpoint.url, endpoint.ca_bundle, times=8)) + here(Ask(endpoint.url, endpoint.ca_bundle, times=2))
    assert [exchange.failure for exchange in exchanges] == [None] * 10
    rows = {row["request_id"]: row for row in endpoint.settled(10)}
    assert all(len(exchange.content_ns) == rows[str(exchange.request_id)]["stream_events"] for exchange in exchanges)


def test_the_salt_is_all_that_differs(simulator: Start) -> None:
    endpoint = simulator({"profile": FAST})
    caller = caller_for(Ask(endpoint.url))
    salted, plain = caller.prepare(prompt(), salted=True), caller.prepare(prompt(), salted=False)
    caller.call(salted, SALT)
    caller.call(salted, SALT)
    caller.call(salted, SALT[::-1])
    caller.call(plain, None)
    digests = [row["prompt_sha256"] for row in endpoint.settled(4)]
    assert digests[0] == digests[1] and len(set(digests)) == 3
