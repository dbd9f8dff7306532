"""The plan: which cells a study has, who sends which prompt in them, and what that may take. All of it follows from the seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from fmbench.core.records import Cell, Usage

if TYPE_CHECKING:
    from fmbench.config.schema import Config, Model

DEFAULT_MAX_TOKENS = 128
"""``max_tokens`` is always sent; this much when the configuration does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile:
    """One bucket's prompts: ``file`` is its path inside the run folder, ``sha256`` the digest of its bytes."""

    bucket: str
    file: str
    sha256: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a prepared run folder hands to the load processes, as ``plan.json``."""

    run_id: str
    cells: list[Cell]
    prompts: list[PromptFile]
    endpoint: dict[str, str | None] | None = None
    """``{url, ca_bundle}`` of the endpoint to call; None: the one that boto3 finds."""

    def to_json(self) -> str:
        """The text of ``plan.json``."""
        return json.dumps({**asdict(self), "cells": [cell._asdict() for cell in self.cells]}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """The plan that ``to_json`` wrote."""
        row = json.loads(text)
        cells = [Cell(**cell) for cell in row["cells"]]
        prompts = [PromptFile(**file) for file in row["prompts"]]
        return cls(run_id=row["run_id"], cells=cells, prompts=prompts, endpoint=row["endpoint"])


def plan_cells(config: Config, dataset_name: str, buckets: Iterable[str]) -> list[Cell]:
    """Every cell of the study in the order in which they run.

    ``sequential``: one model after the other. ``interleaved``: the models take turns at each bucket and level, and every other
    repeat turns the order round, so that the hour of the day hits all of them alike.
    """
    names = list(buckets)
    turns = [turn for block in range(config.load.repeats) for turn in _turns(config, names, block)]
    return [
        Cell(index, model.name, model.id, model.api, dataset_name, bucket, level, block)
        for index, (block, model, bucket, level) in enumerate(turns)
    ]


Turn = tuple[int, "Model", str, int]


def _turns(config: Config, buckets: list[str], block: int) -> Iterator[Turn]:
    levels, models = config.load.concurrency, config.models
    if config.load.order == "sequential":
        yield from ((block, model, bucket, level) for model in models for bucket in buckets for level in levels)
    else:
        models = models if block % 2 == 0 else models[::-1]
        yield from ((block, model, bucket, level) for bucket in buckets for level in levels for model in models)


def deal_slots(users: Mapping[str, int]) -> dict[str, list[int]]:
    """Deal the user slots 0…c-1 to workers that carry ``users`` of them each: together they hold every slot exactly once."""
    left = dict(users)
    dealt: dict[str, list[int]] = {worker: [] for worker in users}
    slot = 0
    while any(left.values()):
        for worker in users:
            if left[worker]:
                dealt[worker].append(slot)
                left[worker] -= 1
                slot += 1
    return dealt


def prompt_at(seed: int, bucket: str, slot: int, k: int, concurrency: int, count: int) -> int:
    """The index of the prompt that ``slot`` sends as its ``k``-th request (from 0) in a cell of ``concurrency`` users.

    The users walk together through one shuffled deck of the bucket's ``count`` prompts, then through another: the same for every
    model and on any number of workers, and no prompt comes again before the others had their turn.
    """
    deck, position = divmod(k * concurrency + slot, count)
    return _deck(seed, bucket, deck, count)[position]


@lru_cache(maxsize=256)  # some hundred users can be in as many decks at once
def _deck(seed: int, bucket: str, number: int, count: int) -> list[int]:
    deck = list(range(count))
    random.Random(f"{seed}/{bucket}/{number}").shuffle(deck)
    return deck


def max_tokens_of(config: Config, model: Model) -> int:
    """The ``max_tokens`` that requests to ``model`` carry."""
    return model.inference.max_tokens or config.inference.max_tokens or DEFAULT_MAX_TOKENS


class BucketSize(Protocol):
    """What an estimate needs to know of a bucket."""

    @property
    def tokens_mean(self) -> float: ...


class Price(Protocol):
    """What an estimate needs to know of a price."""

    def usd(self, usage: Usage) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How a model is expected to answer: seconds, seconds a token, tokens an answer (None: ``max_tokens``)."""

    ttft_s: float = 0.7
    tpot_s: float = 0.015
    output_tokens: int | None = None


QUICKEST_S = 0.001
"""No answer is expected sooner, not even of a simulated model without any delay."""
USUAL_PACE = Pace()
"""What is assumed of a model that nothing is known about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEstimate:
    """What one cell may take. ``usd`` is None when its price is not known."""

    cell: Cell
    requests: int
    input_tokens: int
    output_tokens: int
    seconds: float
    usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a study may take, before anything is sent: a row a cell. ``usd`` sums the cells whose price is known."""

    rows: list[CellEstimate]
    requests: int
    input_tokens: int
    output_tokens: int
    seconds: float
    usd: float | None
    unpriced: list[str]
    """Models without a known price."""


def estimate(
    cells: Sequence[Cell],
    config: Config,
    buckets: Mapping[str, BucketSize],
    price_of: Callable[[str, str], Price | None],
    pace_of: Callable[[str], Pace] = lambda model_id: USUAL_PACE,
) -> Estimate:
    """What ``cells`` may take. ``price_of`` is asked with a model's id and its name; ``pace_of`` says how fast an id answers, and
    requests follow from that and the windows."""
    models = {model.name: model for model in config.models}
    rows = []
    for cell in cells:
        price, pace = price_of(cell.model_id, cell.model), pace_of(cell.model_id)
        rows.append(_estimate_cell(cell, config, models[cell.model], buckets[cell.bucket], price, pace))
    priced = [row.usd for row in rows if row.usd is not None]
    return Estimate(
        rows=rows,
        requests=sum(row.requests for row in rows),
        input_tokens=sum(row.input_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        seconds=sum(row.seconds for row in rows),
        usd=sum(priced) if priced else None,
        unpriced=sorted({row.cell.model for row in rows if row.usd is None}),
    )


def _estimate_cell(cell: Cell, config: Config, model: Model, bucket: BucketSize, price: Price | None, pace: Pace) -> CellEstimate:
    load = config.load
    limit = max_tokens_of(config, model)
    output = min(limit, pace.output_tokens or limit)
    answer_s = max(QUICKEST_S, pace.ttft_s + output * pace.tpot_s)
    window_s = min(max(load.duration_s, load.min_requests * answer_s / cell.concurrency), window_cap_s(load))
    requests = round(cell.concurrency * (load.warmup_s + window_s) / answer_s) + cell.concurrency
    usage = Usage(input_tokens=round(requests * bucket.tokens_mean), output_tokens=requests * output)
    return CellEstimate(
        cell=cell,
        requests=requests,
        input_tokens=usage.input_tokens or 0,
        output_tokens=usage.output_tokens or 0,
        seconds=load.warmup_s + window_s + answer_s,
        usd=None if price is None else price.usd(usage),
    )


class WindowLimits(Protocol):
    """What bounds the window of a cell."""

    @property
    def duration_s(self) -> float: ...
    @property
    def max_duration_s(self) -> float | None: ...


def window_cap_s(load: WindowLimits) -> float:
    """The longest that a cell's window may be extended to, seconds."""
    return max(load.duration_s, load.max_duration_s or 10 * load.duration_s)


def cell_row(cell: Cell) -> dict[str, Any]:
    """The keys that name a cell in ``cells.jsonl``."""
    row = cell._asdict()
    return {"cell": row.pop("number"), **{key: row[key] for key in ("model", "model_id", "bucket", "concurrency", "block")}}
