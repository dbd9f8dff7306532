"""1, 2 and 4 workers, one seed: each user sends the same prompts, and reports agree. The endpoint's ledger is the oracle."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from tests.distributed.machines import Machines, Stored
from tests.support.simulator import running

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.aws_emulator]

WORKERS = (1, 2, 4)
LEVELS = (3, 6)
PROMPTS = 12
ENDPOINT = {"profile": {"ttft_s": 0.1, "tpot_s": 0.005, "output_tokens": 10, "jitter": 0.25}}
STUDY = {
    "name": "same",
    "seed": 11,
    "region": "us-east-1",
    "models": [{"id": "us.amazon.nova-lite-v1:0", "label": "nova"}],
    "inference": {"max_tokens": 16},
    "dataset": {"buckets": ["100-300"], "prompts_per_bucket": PROMPTS},
    "cache": "allow",
    "load": {"concurrency": list(LEVELS), "warmup_s": 0.5, "duration_s": 5, "min_requests": 0},
}
"""``cache: allow`` puts no words of their own before the prompts, so that equal ones are equal on the wire."""

Slot = tuple[int, int]
"""A level and one of its users."""


@dataclass
class Loaded:
    """One run, as stored and as the endpoint saw it."""

    stored: Stored
    ledger: dict[str, dict[str, Any]]
    """By request id."""

    @cached_property
    def records(self) -> pd.DataFrame:
        return self.stored.records()

    def sent(self) -> dict[Slot, list[str]]:
        """What each user sent, in its order: the hash of what arrived."""
        rows = self.records.sort_values("seq").groupby(["concurrency", "user"]).request_id
        return {slot: [self.ledger[each]["prompt_sha256"] for each in ids] for slot, ids in rows}

    def prepared(self) -> set[str]:
        (lines,) = (data for name, data in self.stored.files.items() if name.startswith("prompts/payload_"))
        return {hashlib.sha256(json.loads(line)["text"].encode()).hexdigest() for line in lines.splitlines()}

    def cell(self, level: int) -> dict[str, Any]:
        (found,) = (each for each in json.loads(self.stored.files["summary.json"])["cells"] if each["concurrency"] == level)
        return dict(found)

    def truth(self, level: int, until: str) -> float:
        """The median over the measured requests of a level, in seconds on the endpoint's own clock."""
        measured = self.records[(self.records.concurrency == level) & (self.records.phase == "measure")].request_id
        return statistics.median((self.ledger[each][until] - self.ledger[each]["received_ns"]) / 1e9 for each in measured)


@pytest.fixture(scope="module")
def runs(aws_server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Loaded]:
    """The same study on 1, 2 and 4 workers, each against an endpoint of its own."""
    return {workers: load(workers, aws_server, tmp_path_factory) for workers in WORKERS}


def load(workers: int, aws_server: str, folders: pytest.TempPathFactory) -> Loaded:
    with running(ENDPOINT) as endpoint:
        machines = Machines(folders.mktemp("same"), aws_server, endpoint.url)
        try:
            master, others = machines.master(STUDY, workers), machines.workers(workers)
            ended = [machine.ended() for machine in (master, *others)]
        finally:
            machines.end_all()
        assert {each.status for each in ended} == {0}, ended[0].stderr
        return Loaded(machines.stored(), {row["request_id"]: row for row in endpoint.settled(1)})


def test_as_many_workers_took_part_and_three_counts_are_equal(runs: dict[int, Loaded]):
    for workers, run in runs.items():
        assert run.records.worker.nunique() == workers
        assert set(run.records.request_id) == run.ledger.keys()
        assert len(run.records) == len(run.ledger) == sum(run.stored.locust().values()) == run.stored.accounting["ok"]


def test_each_user_sends_the_same_prompts_on_any_number_of_workers(runs: dict[int, Loaded]):
    """The k-th prompt of a user is the same; how many it gets to send is a matter of pace."""
    sent = {workers: run.sent() for workers, run in runs.items()}
    slots = {(level, user) for level in LEVELS for user in range(level)}
    for slot in slots:
        shared = min(len(each[slot]) for each in sent.values())
        assert shared >= 12
        assert len({tuple(each[slot][:shared]) for each in sent.values()}) == 1, slot
    assert all(each.keys() == slots for each in sent.values())


@pytest.mark.parametrize("level", LEVELS)
def test_the_multiset_of_prompts_is_the_same_and_uses_each_as_often(runs: dict[int, Loaded], level: int):
    """Up to where every user of every run has come, in whole decks: PROMPTS prompts, each as often as the next."""
    deck = PROMPTS // level
    reached = min(len(sent) for run in runs.values() for (each, _), sent in run.sent().items() if each == level)
    rounds = reached // deck
    assert rounds >= 2
    for run in runs.values():
        union = Counter(sent for (each, _), all_sent in run.sent().items() if each == level for sent in all_sent[: rounds * deck])
        assert union == dict.fromkeys(run.prepared(), rounds)
        assert len(union) == PROMPTS


@pytest.mark.parametrize(("metric", "until"), [("ttft_s", "first_content_ns"), ("e2e_s", "ended_ns")])
def test_what_is_reported_agrees_within_its_intervals(runs: dict[int, Loaded], metric: str, until: str):
    intervals = []
    for run in runs.values():
        low, high = run.cell(6)[metric]["ci95"]["p50"]
        assert low <= run.truth(6, until) <= high
        intervals.append((low, high))
    for (low, high), (other_low, other_high) in pairwise([*intervals, intervals[0]]):
        assert low <= other_high and other_low <= high, intervals
