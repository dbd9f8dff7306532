"""Failures that lie with one load process, one user or one prompt: then they are no matter of the model under load."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fmbench.core.clusters import numbered
from fmbench.core.findings.finding import NOTE, Evidence, Finding, names_of
from fmbench.core.messages import Message, Several
from fmbench.core.results import CellResult, by_model
from fmbench.core.table import Rows

FEWEST_FAILURES = 10
MOSTLY = 0.9
"""So much of the failures lies with one of them."""
LESS_THAN = 0.5
"""... which sent less than so much of the requests."""


@dataclass(frozen=True, slots=True)
class OfOne(Message):
    """The failures of some cells, and the one that has nearly all of them."""

    says: ClassVar[str] = "{of_it:,} of {failed:,} failures in {cells} are of {one}, one of {others:,}. {cure}"
    cells: Several
    of_it: int
    failed: int
    one: str
    others: int
    cure: str


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a cell's failures are of one, among how many."""

    one: str
    of_it: int
    failed: int
    others: int
    cure: str


@dataclass(frozen=True, slots=True)
class By:
    """What failures may lie with: ``of`` numbers it for each request, ``name`` is that of a request's."""

    of: Callable[[Rows], NDArray[Any]]
    name: Callable[[Rows], str]
    fewest: int
    """Among fewer of them one may have all failures by chance."""
    cure: str


WAYS = (
    By(
        lambda rows: rows.words["worker"].codes,
        lambda rows: f"load process {_word(rows, 'worker')}",
        2,
        "Look at what is different about its machine, its network and its credentials.",
    ),
    By(
        lambda rows: rows.senders,
        lambda rows: f"user {rows.numbers['user'][0]:.0f} of load process {_word(rows, 'worker')}",
        4,
        "More requests of the same users do not tell how often others fail: look at its messages, ask for more users.",
    ),
    By(
        lambda rows: rows.prompts,
        lambda rows: f"prompt {_word(rows, 'prompt_id')}",
        4,
        "Look at it in prompts/, and leave it out of the dataset if it is not like yours.",
    ),
)


def failures_of_one(evidence: Evidence) -> Iterator[Finding]:
    """Whether nearly all failures of a cell lie with one of several processes, users or prompts; said once of each."""
    for cells in by_model(evidence.measured).values():
        seen: dict[str, list[tuple[CellResult, Share]]] = {}
        for found in cells:
            share = _of_one(found.cell.rows[found.cell.rows.measured])
            if share is not None:
                seen.setdefault(share.one, []).append((found, share))
        for one, places in seen.items():
            shares = [share for _, share in places]
            of_it, failed = sum(share.of_it for share in shares), sum(share.failed for share in shares)
            names = names_of([found for found, _ in places])
            yield Finding(NOTE, "failures of one", OfOne(names, of_it, failed, one, shares[0].others, shares[0].cure))


def _of_one(rows: Rows) -> Share | None:
    """Who has nearly all failures of a cell; None where nobody has, or where there are few."""
    failed = int(rows.failed.sum())
    said = (_share(rows, failed, by) for by in WAYS) if failed >= FEWEST_FAILURES else ()
    return next(filter(None, said), None)


def _share(rows: Rows, failed: int, by: By) -> Share | None:
    places = numbered(by.of(rows).astype(np.int64))
    sent = np.bincount(places)
    counts = np.bincount(places[rows.failed], minlength=len(sent))
    most = int(counts.argmax())
    if np.count_nonzero(sent) < by.fewest or counts[most] < MOSTLY * failed or sent[most] >= LESS_THAN * len(rows):
        return None
    return Share(by.name(rows[places == most]), int(counts[most]), failed, int(np.count_nonzero(sent)), by.cure)


def _word(rows: Rows, column: str) -> str:
    words = rows.words[column]
    return words.names[words.codes[0]] if words.codes[0] >= 0 else "(unknown)"


CHECKS = (failures_of_one,)
