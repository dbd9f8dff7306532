"""The plan: which cells a study has, who sends which prompt in them, and what that may take. All of it follows from the seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from fmbench.core.levels import LoadLevel, levels_of
from fmbench.core.model_facts import DEFAULT_MAX_TOKENS
from fmbench.core.prices.price import Price
from fmbench.core.records import Cell

if TYPE_CHECKING:
    from fmbench.config.schema import Config, Model

FINISHED = frozenset({"complete", "skipped"})
"""What becomes of a cell (``status`` in ``cells.jsonl``) that a resumed run does not try again."""


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
    prices: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    """What each model's requests cost, by its name, as ``Price.to_dict`` wrote it: one price for the whole run, parts of it
    resumed on another day included. None: not known."""
    quotas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Each model's quotas, by its name, as far as they are known."""

    def price_of(self, model: str) -> Price | None:
        """The price of a model of the study; None: not known."""
        row = self.prices.get(model)
        return None if row is None else Price.from_dict(row)

    def to_json(self) -> str:
        """The text of ``plan.json``."""
        return json.dumps({**asdict(self), "cells": [cell._asdict() for cell in self.cells]}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """The plan that ``to_json`` wrote."""
        row = json.loads(text)
        cells = [Cell(**cell) for cell in row["cells"]]
        prompts = [PromptFile(**file) for file in row["prompts"]]
        known = {name: row.get(name) or {} for name in ("prices", "quotas")}
        return cls(run_id=row["run_id"], cells=cells, prompts=prompts, endpoint=row["endpoint"], **known)


def plan_cells(config: Config, dataset_name: str, buckets: Iterable[str]) -> list[Cell]:
    """Every cell of the study in the order in which they run.

    ``sequential``: one model after the other. ``interleaved``: the models take turns at each bucket and level, and every other
    repeat turns the order round, so that the hour of the day hits all of them alike.
    """
    names = list(buckets)
    turns = [turn for block in range(config.repeats) for turn in _turns(config, names, block)]
    return [
        Cell(
            index,
            model.name,
            model.id,
            model.api,
            dataset_name,
            bucket,
            level.concurrency,
            block,
            level.rate_per_min,
            model.route,
        )
        for index, (block, model, bucket, level) in enumerate(turns)
    ]


Turn = tuple[int, "Model", str, LoadLevel]


def _turns(config: Config, buckets: list[str], block: int) -> Iterator[Turn]:
    levels, models = levels_of(config.load), config.models
    if not config.interleaved:
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
    return model.asked(config.inference).max_tokens or DEFAULT_MAX_TOKENS


class WindowLimits(Protocol):
    """What bounds the window of a cell."""

    @property
    def duration_s(self) -> float: ...
    @property
    def max_duration_s(self) -> float | None: ...


def window_cap_s(load: WindowLimits) -> float:
    """The longest that a cell's window may be extended to, seconds."""
    return max(load.duration_s, load.max_duration_s or 10 * load.duration_s)


CELL_KEYS = ("model", "model_id", "bucket", "concurrency", "block", "rate_per_min", "route")


def cell_row(cell: Cell) -> dict[str, Any]:
    """The keys that name a cell in ``cells.jsonl``."""
    row = cell._asdict()
    return {"cell": row.pop("number"), **{key: row[key] for key in CELL_KEYS}}
