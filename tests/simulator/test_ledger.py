"""The ledger says what happened: its stamps lie where a client in another process saw them, its sums are the client's."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from tests.support.boto import ask, client_of, stream_of
from tests.support.simulator import running

TTFT_NS, TPOT_NS = 50_000_000, 5_000_000


@pytest.fixture(scope="module")
def one_endpoint():
    models = {"queue": {"slots": 1}, "batch": {"batch": 1.0}, "short": {"output_tokens": 8}}
    with running({"profile": {"ttft_s": 0.05, "tpot_s": 0.005}, "models": models}) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(one_endpoint):
    one_endpoint.reset()
    return one_endpoint


def test_stamps_lie_between_the_clients(endpoint):
    client = client_of(endpoint)
    before = time.monotonic_ns()
    stream_of(client)
    after = time.monotonic_ns()
    (row,) = endpoint.settled(1)
    content = row["content_ns"]
    stamps = [before, row["received_ns"], row["complete_ns"], row["started_ns"], *content, row["ended_ns"]]
    assert stamps == sorted(stamps)
    assert content[-1] < after, "the end is noted after the last byte, which the client may have by then"
    assert len(content) == 12
    assert row["first_content_ns"] == content[0]
    assert abs(row["received_at"] - time.time()) < 60


def test_nothing_is_sent_before_it_is_due(endpoint):
    stream_of(client_of(endpoint))
    (row,) = endpoint.settled(1)
    assert row["intended_first_ns"] - row["started_ns"] >= TTFT_NS
    late = [sent - row["intended_first_ns"] - index * TPOT_NS for index, sent in enumerate(row["content_ns"])]
    assert min(late) >= 0
    assert max(late) == row["late_max_ns"]


def test_an_answer_that_does_not_stream_takes_as_long(endpoint):
    client_of(endpoint).converse(**ask())
    (row,) = endpoint.settled(1)
    assert row["ended_ns"] - row["started_ns"] >= TTFT_NS + 11 * TPOT_NS
    assert row["content_ns"] == []


def test_the_prompt_is_known_by_its_digest_only(endpoint):
    secret = "a prompt that nobody else may read"
    client_of(endpoint).converse(**ask(secret))
    (row,) = endpoint.settled(1)
    assert row["prompt_sha256"] == hashlib.sha256(secret.encode()).hexdigest()
    assert row["prompt_bytes"] == len(secret)
    assert secret not in str(row)


def test_one_slot_serves_one_after_the_other(endpoint):
    client = client_of(endpoint)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: stream_of(client, modelId="queue"), range(3)))
    rows = sorted(endpoint.settled(3), key=lambda row: row["started_ns"])
    assert all(later["started_ns"] >= earlier["ended_ns"] for earlier, later in pairwise(rows))


def test_tokens_come_slower_in_a_full_batch(endpoint):
    client = client_of(endpoint)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: stream_of(client, modelId="batch"), range(4)))
    for row in endpoint.settled(4):
        assert (
            row["content_ns"][-1] - row["intended_first_ns"] >= 11 * TPOT_NS * 2
        )  # at least twice: it is one of the batch itself


def test_the_sums_are_those_that_clients_were_told(endpoint):
    client = client_of(endpoint)
    with ThreadPoolExecutor(4) as pool:
        told = [answer["usage"] for answer in pool.map(lambda n: client.converse(**ask("hi" * n, modelId="short")), range(1, 21))]
    rows, counts = endpoint.settled(20), endpoint.counts()
    assert counts["requests"] == counts["completed"] == counts["by_status"]["200"] == counts["by_model"]["short"] == 20
    assert counts["input_tokens"] == sum(usage["inputTokens"] for usage in told) == sum(row["input_tokens"] for row in rows)
    assert counts["output_tokens"] == sum(usage["outputTokens"] for usage in told)
    assert (counts["in_flight"], counts["by_operation"]) == (0, {"converse": 20})
    assert max(row["in_flight"] for row in rows) <= 4


def test_the_ledger_goes_on_from_a_row(endpoint):
    client = client_of(endpoint)
    for _ in range(3):
        client.converse(**ask(modelId="short"))
    assert [row["n"] for row in endpoint.ledger()] == [1, 2, 3]
    assert [row["n"] for row in endpoint.ledger(since=2)] == [3]
    endpoint.reset()
    assert endpoint.ledger() == []
    client.converse(**ask(modelId="short"))
    assert [row["n"] for row in endpoint.ledger()] == [1]
