"""Messages: what is sent is what is read; whatever else arrives is ignored and counted, and does no harm."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmbench.core.records import Cell
from fmbench.load import protocol
from fmbench.load.protocol import (
    ANSWERS,
    ORDERS,
    PREFIX,
    REPLIES,
    Address,
    Drained,
    Gone,
    Hello,
    Message,
    Pulse,
    SharedStore,
    StepOrder,
    StoredFile,
    decode,
    encode,
)
from fmbench.load.slices import Counting
from fmbench.load.tally import Tally, WindowCounts
from fmbench.load.wire import to_plain

CELL = Cell(3, "lite", "amazon.nova-lite-v1:0", "converse-stream", "numbers", "en_1-500", 4)
TALLY = Tally(
    sent=9,
    done=8,
    ok=7,
    failed=1,
    usd=0.5,
    failures=Counter(throttled=1),
    window=WindowCounts(ok=7, ttft=Counter({-14: 7})),
    slices={0: [1.0, 2.0]},
    users={3: [1.0, 2.0]},
)
MESSAGES: list[Message] = [
    Hello(
        run_id="r",
        folder="/runs/r",
        host="a",
        endpoint=Address(url="http://x", ca_bundle=None),
        store=SharedStore(address="s3://b/r", region=None, sha256={"plan.json": "0"}),
    ),
    Hello(run_id="r", folder="/runs/r", host="a", endpoint=None, store=None),
    StepOrder(
        run_id="r",
        number=1,
        cell=CELL,
        slots=[0, 2],
        spread_s=1.0,
        requests=None,
        usd=2,
        counting=Counting(1.0, (("ttft", 1.5),)),
    ),
    Drained(run_id="r", number=1, tally=TALLY, usd=0.25),
    Pulse(run_id="r", worker="w", number=1, exhausted=False, fault=None, users=2, tally=TALLY),
    Gone(run_id="r", drift_s=-0.1, stored={"journal/w.jsonl": StoredFile(bytes=1, lines=2, sha256="0", at=1.5)}),
]


def over_the_wire(data: Any) -> Any:
    """As Locust's RPC carries it."""
    return msgpack.loads(msgpack.dumps(data), raw=False, strict_map_key=False)


@pytest.fixture
def ignored() -> Iterator[Counter[str]]:
    """What was ignored in this test."""
    protocol.IGNORED.by_reason.clear()
    yield protocol.IGNORED.by_reason
    protocol.IGNORED.by_reason.clear()


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_is_sent_is_what_is_read(message: Message) -> None:
    name, data = encode(message)
    assert decode(name.removeprefix(PREFIX), over_the_wire(data), "r") == message


def test_every_kind_has_one_type_and_every_answer_is_a_reply() -> None:
    assert not ORDERS.keys() & REPLIES.keys()
    assert len({*ORDERS.values(), *REPLIES.values()}) == len(ORDERS) + len(REPLIES)
    assert set(ANSWERS) <= set(ORDERS.values()) and set(ANSWERS.values()) <= set(REPLIES.values())


PULSE = to_plain(MESSAGES[4])


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"\xff\xff",
        [],
        {},
        "pulse",
        {**PULSE, "more": 1},
        {key: value for key, value in PULSE.items() if key != "tally"},
        {**PULSE, "number": 1.0},
        {**PULSE, "number": True},
        {**PULSE, "number": 2**63},
        {**PULSE, "worker": None},
        {**PULSE, "worker": "w" * 1_000_000},
        {**PULSE, "exhausted": 0},
        {**PULSE, "tally": {**PULSE["tally"], "usd": float("nan")}},
        {**PULSE, "tally": {**PULSE["tally"], "usd": float("inf")}},
        {**PULSE, "tally": {**PULSE["tally"], "slices": {"0": [1.0]}}},
        {**PULSE, "tally": {**PULSE["tally"], "slices": {0: [10**400]}}},
        {**PULSE, "tally": {**PULSE["tally"], "failures": {"throttled": "1"}}},
    ],
    ids=str,
)
def test_what_is_malformed_is_ignored_and_counted(data: Any, ignored: Counter[str]) -> None:
    assert decode("pulse", data) is None
    assert ignored == {"malformed pulse": 1}


def test_a_process_of_an_earlier_version_is_understood() -> None:
    """It counts nothing by users; in whichever message its counts are."""
    earlier = {key: value for key, value in PULSE["tally"].items() if key not in ("users", "processes")}
    read = decode("pulse", {**PULSE, "tally": earlier})
    assert isinstance(read, Pulse) and read.tally == replace(TALLY, users={})
    assert decode("pulse", {**PULSE, "tally": {**earlier, "users": {"3": [1.0]}}}) is None


def test_another_runs_message_is_ignored_and_counted(ignored: Counter[str]) -> None:
    assert decode("pulse", PULSE, "another") is None
    assert ignored == {"another run's message": 1}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.integers(0, 9), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(sorted(ORDERS | REPLIES)), data=PLAIN, at=st.integers(0, 20))
def test_no_data_raises(kind: str, data: Any, at: int) -> None:
    """Neither anything at all, nor a good message with something else in one place."""
    assert decode(kind, data) is None or isinstance(data, dict)
    good = to_plain(next((message for message in MESSAGES if encode(message)[0] == PREFIX + kind), MESSAGES[-1]))
    keys = sorted(good)
    decode(kind, good | {keys[at % len(keys)]: data})


STRANGERS = """
import msgpack, sys
from gevent import monkey; monkey.patch_all()
from locust import __version__
from fmbench.load import transport
from fmbench.load.protocol import IGNORED
def say(*message): return [b"me", msgpack.dumps(message)]
BEAT = {"state": "ready", "current_cpu_usage": 1.5, "current_memory_usage": 9}
GOOD = [
    say("client_ready", __version__, "me"), say("quit", None, "me"), say("heartbeat", BEAT, "me"), say("fmbench_pulse", {}, "me"),
    say("spawning_complete", {"user_classes_count": {"User": 0}, "user_count": 0}, "me"),
]
BAD = [
    [], [b"me"], [b"me", b""], [b"me", b"\\xff\\xff"], [b"\\xff", b"\\xff"], [b"me", b"{}"], [b"me", msgpack.dumps({})],
    [b"me", msgpack.dumps([1])], [b"me", msgpack.dumps([1, 2, 3])], [b"me", b"\\x93" * 5000],
    [b"me", msgpack.dumps(["a", {"__datetime__": 1}, "me"])],
    say("client_ready", None, "me"), say("client_ready", __version__, "you"), say("client_ready", {}, "me"),
    say("heartbeat", None, "me"), say("heartbeat", {"state": []}, "me"),
    say("heartbeat", BEAT | {"current_cpu_usage": "x"}, "me"),
    say("heartbeat", BEAT | {"state": "owned"}, "me"), say("locustfile", None, "me"),
    say("stats", {}, "me"), say("stats", None, "me"),
    say("exception", {}, "me"), say("logs", {}, "me"),
    say("fmbench_hello", {}, "me"), say("fmbench_", {}, "me"), say("no", {}, "me"),
    say("spawning_complete", {"user_classes_count": {"User": 99}, "user_count": 99}, "me"),
    say("spawning_complete", {"user_classes_count": {"User": "many"}}, "me"),
    say("spawning_complete", {"user_classes_count": {"User": -1}}, "me"),
]
assert all(transport.checked(frames) is not None for frames in GOOD)
assert IGNORED.total == 0
passed = [frames for frames in BAD if transport.checked(frames) is not None]
assert not passed, passed
assert IGNORED.total == len(BAD)
transport.ADMITTED.add("me")
assert transport.checked(say("stats", {"user_classes_count": {"User": 4}, "user_count": 4}, "me")) is not None
import random
dice = random.Random(7)
for _ in range(20_000):
    frames = [bytearray(part) for part in dice.choice(GOOD)]
    for _ in range(dice.randrange(1, 4)):
        frame = dice.choice(frames)
        frame[dice.randrange(len(frame))] = dice.randrange(256)
    transport.checked([bytes(frame) for frame in frames])
print("held")
"""


def test_strangers_bytes_at_the_masters_port_are_ignored_and_counted() -> None:
    """In a process of its own: Locust patches whatever imports it."""
    done = subprocess.run([sys.executable, "-c", STRANGERS], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "held", done.stderr
