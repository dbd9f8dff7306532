"""Whatever a service says in a field: the request is one row, with a word of the closed list, that every file can hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmbench.core.failures import FailureKind as Word
from fmbench.core.records import Exchange, Record, complete
from fmbench.storage.journal import JournalWriter
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.seal import seal
from tests.bedrock import by_hand
from tests.bedrock.reading import FAMILIES, Reading

USAGE = {"inputTokens": 13, "outputTokens": 3, "totalTokens": 16}
ODD: list[Any] = [True, "5", 5.5, [5], {"n": 5}, 2**63 + 5, 2**70, -5, 10**12]
BODY = {
    "output": {"message": {"role": "assistant", "content": [{"text": "One"}]}},
    "stopReason": "end_turn",
    "usage": USAGE,
    "metrics": {"latencyMs": 522},
}


@pytest.fixture(scope="module")
def streamed() -> Reading:
    return Reading("converse-stream")


@pytest.fixture(scope="module")
def whole() -> Reading:
    return Reading("converse")


def stream_of(stop: Any = "end_turn", **metadata: Any) -> bytes:
    frames = by_hand.answer_frames()[:-2]
    return by_hand.streamed([*frames, by_hand.event("messageStop", {"stopReason": stop}), by_hand.metadata(**metadata)])


def body_of(**facts: Any) -> bytes:
    return by_hand.counted(json.dumps(BODY | facts).encode())


@pytest.mark.parametrize("value", ODD, ids=str)
@pytest.mark.parametrize("name", ["inputTokens", "outputTokens", "cacheReadInputTokens"])
def test_a_count_that_cannot_be_is_malformed(streamed: Reading, whole: Reading, name: str, value: Any) -> None:
    for exchange in (streamed(stream_of(usage=USAGE | {name: value})), whole(body_of(usage=USAGE | {name: value}))):
        assert exchange.failure is Word.MALFORMED
        assert f"usage.{name}" in (exchange.message or "")


@pytest.mark.parametrize("value", [True, "5", [5], 5], ids=str)
def test_usage_that_is_no_object_is_malformed(streamed: Reading, whole: Reading, value: Any) -> None:
    assert streamed(stream_of(usage=value)).failure is Word.MALFORMED
    assert whole(body_of(usage=value)).failure is Word.MALFORMED


@pytest.mark.parametrize("value", [5, {"a": 1}, ["end_turn"], True], ids=str)
def test_a_stop_reason_that_is_no_word_is_malformed(streamed: Reading, whole: Reading, value: Any) -> None:
    assert streamed(stream_of(stop=value)).failure is Word.MALFORMED
    assert whole(body_of(stopReason=value)).failure is Word.MALFORMED


@pytest.mark.parametrize("value", [1e308, -1, "fast", True, [1], {"a": 1}, 2**63 + 5, 86_400_001], ids=str)
def test_a_latency_that_cannot_be_is_not_believed_and_said(streamed: Reading, whole: Reading, value: Any) -> None:
    metrics = {"latencyMs": value}
    for exchange in (streamed(stream_of(metrics=metrics)), whole(body_of(metrics=metrics))):
        assert exchange.failure is None
        assert exchange.server_latency_s is None
        assert "not believed: metrics.latencyMs" in (exchange.message or "")


@pytest.mark.parametrize("value", [5, {"a": 1}, ["x"], True], ids=str)
def test_a_tier_that_is_no_word_is_null(streamed: Reading, whole: Reading, value: Any) -> None:
    facts = {"serviceTier": {"type": value}, "performanceConfig": {"latency": value}}
    for exchange in (streamed(stream_of(**facts)), whole(body_of(**facts))):
        assert (exchange.failure, exchange.service_tier, exchange.latency_mode) == (None, None, None)
        assert "serviceTier.type" in (exchange.message or "")


def test_a_long_or_dangerous_word_is_cut_and_neutral(streamed: Reading) -> None:
    word = streamed(stream_of(stop="a\x1b[31m\x00\n\N{RIGHT-TO-LEFT OVERRIDE}b" + "z" * 1_000_000)).stop_reason
    assert word is not None and word.isprintable() and len(word) == 100


def test_a_half_character_in_an_error_s_text_is_one_failed_row(streamed: Reading) -> None:
    refusal = b'{"message": "bad \\ud83d thing\\u001b[2J"}'
    exchange = streamed(by_hand.counted(refusal, "400 Bad Request", x_amzn_ErrorType="ValidationException"))
    assert exchange.failure is Word.VALIDATION
    assert (exchange.message or "").isprintable()
    (exchange.message or "").encode()


@pytest.mark.parametrize("body", [b"[1]", b'"text"', b"5", b"null", b"\xff\xfe", b"[" * 100_000, b'{"message": {"a": 1}}'])
def test_an_error_body_of_any_shape_keeps_the_word_of_its_status(streamed: Reading, body: bytes) -> None:
    assert streamed(by_hand.counted(body, "503 T")).failure is Word.SERVICE_UNAVAILABLE


def record_of(exchange: Exchange) -> Record:
    where = {"model": "m", "model_id": "some.m", "api": "converse", "dataset": "d", "bucket": "en_1-2", "concurrency": 1}
    cell = {"cell": 0, "block": 0, "phase": "measure", "task": "t", "prompt_id": "p"}
    return complete(Record(run_id="r", worker="local", user=0, seq=0, **where, **cell), exchange, 0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    (
        *(
            "stopReason",
            "stop_reason",
            "usage",
            "output",
            "content",
            "choices",
            "outputs",
            "generation",
            "results",
            "text",
            "role",
        ),
        *("delta", "metrics", "serviceTier", "bytes", "inputTokens", "outputTokens", "input_tokens", "output_tokens", "message"),
        *("type", "finish_reason", "meta", "latencyMs"),
    )
)
bodies = st.dictionaries(names, json_values | st.dictionaries(names, json_values, max_size=4), max_size=6)
readings = {(api, name): Reading(api, model, True) for name, model in FAMILIES.items() for api in ("invoke", "invoke-stream")}
readings |= {(api, ""): Reading(api, keep_text=True) for api in ("converse", "converse-stream")}


def wire_of(api: str, body: dict[str, Any]) -> bytes:
    if api in ("converse", "invoke"):
        return by_hand.counted(json.dumps(body).encode())
    if api == "converse-stream":
        return by_hand.streamed([by_hand.event(kind, body) for kind in ("contentBlockDelta", "messageStop", "metadata")])
    from base64 import b64encode

    chunk = {"bytes": b64encode(json.dumps(body).encode()).decode()}
    return by_hand.streamed([by_hand.event("chunk", chunk)])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(readings)), bodies)
def test_every_json_body_is_a_row_that_a_journal_and_a_part_hold(key: tuple[str, str], body: dict[str, Any]) -> None:
    exchange = readings[key](wire_of(key[0], body))
    assert exchange.failure is not Word.UNKNOWN, exchange.message
    for number in (exchange.usage.input_tokens, exchange.usage.output_tokens):
        assert number is None or (type(number) is int and 0 <= number < 2**31)
    text = json.dumps(record_of(exchange).to_dict(), allow_nan=False)
    text.encode()


UNFIT: list[dict[str, Any]] = [
    *({"stop_reason": 5}, {"stop_reason": {"a": 1}}, {"service_tier": {"a": 1}}, {"output_tokens": "5"}, {"message": "\ud83d"}),
    *({"output_tokens": 2**63 + 5}, {"input_tokens": 2**70}, {"content_s": "x"}, {"usd": "5"}),
]


@pytest.mark.parametrize("facts", UNFIT, ids=lambda facts: str(facts).encode("ascii", "backslashreplace").decode())
def test_a_row_that_does_not_fit_is_stored_without_the_value_and_kept_raw(tmp_path: Path, facts: dict[str, Any]) -> None:
    folder = RunFolder(tmp_path)
    journal = JournalWriter(folder.journal / "local.jsonl")
    for seq in range(3):
        record = record_of(Exchange(started_ns=0))
        record.seq = seq
        journal.intent(record)
        for name, value in facts.items() if seq == 1 else ():
            setattr(record, name, value)
        journal.record(record)
    journal.close()
    accounting = seal(folder)
    rows = pq.read_table(folder.records).to_pylist()
    assert accounting.sent == 3 and accounting.complete
    assert [row["outcome"] for row in rows] == ["ok", "failed", "ok"]
    assert rows[1]["failure"] == "malformed" and next(iter(facts)) in rows[1]["message"]
