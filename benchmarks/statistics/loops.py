"""Closed loops whose truth is known, many at once: users who send a request when their last one is answered.

Requests overlap, a slow spell slows all that are sent inside it, users and load processes may differ, and what is refused pauses
its user for a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Own = Callable[[np.random.Generator, tuple[int, ...]], Floats]
PAUSE_S, WARM_S, REFUSED_S = 1.0, 20.0, 0.05
START = 1_790_000_000.0


@dataclass(frozen=True)
class Process:
    """Cells of ``users`` for ``seconds``. ``own(rng, shape)``: a request's latency, seconds. In spells, which take a ``share``
    of the time, latencies are ``slower`` and so many are ``refused``. ``differ``, ``hosts_differ``: how much users and load
    processes do (log-normal). ``drift``: the latency rises by so much over the window, half below and half above. So many
    ``prompts`` are asked in turn, again and again, which differ by ``prompts_differ`` (log-normal); 0: each is a new one."""

    name: str
    users: int
    seconds: float
    own: Own
    slower: float = 1.0
    refused: float = 0.0
    share: float = 0.0
    length: float = 5.0
    differ: float = 0.0
    failing: float = 0.0
    hosts: int = 1
    hosts_differ: float = 0.0
    drift: float = 0.0
    prompts: int = 0
    prompts_differ: float = 0.0


@dataclass(frozen=True)
class Loop:
    """The requests of one cell in the order of time, seconds from where its window begins."""

    process: Process
    sent: Floats
    took: Floats
    failed: NDArray[np.bool_]
    user: NDArray[np.int64]
    prompt: NDArray[np.int64]
    usual: Floats
    """What each of the cell's prompts makes of a latency."""

    @property
    def answers(self) -> Floats:
        """The latencies of the answers to what was sent in the window."""
        return np.asarray(self.took[(self.sent >= 0) & ~self.failed])


def lognormal(sigma: float) -> Own:
    return lambda rng, shape: np.exp(sigma * rng.standard_normal(shape))


def pareto(shape: float) -> Own:
    return lambda rng, size: 0.5 * (1 + rng.pareto(shape, size))


def loops(rng: np.random.Generator, process: Process, cells: int) -> list[Loop]:
    """So many cells, warm-up included."""
    end, users = WARM_S + process.seconds, process.users
    inside = _spells(rng, process, cells)
    factor = _factors(rng, process, cells)
    usual = np.exp(process.prompts_differ * rng.standard_normal((cells, max(process.prompts, 1))))
    deal = _dealer(rng, users, usual.shape[1])
    now, steps = rng.uniform(0, 1, (cells, users)), []
    while (busy := now < end).any():
        slow = inside(now)
        took = factor * process.own(rng, (cells, users)) * np.where(slow, process.slower, 1.0)
        asked = deal()
        took = took * usual[:, asked]
        took = took * (1 + process.drift * (np.clip((now - WARM_S) / process.seconds, 0, 1) - 0.5))
        failed = rng.random((cells, users)) < np.where(slow, process.refused, process.failing)
        took = np.where(failed, REFUSED_S, took)
        steps.append(np.stack([now, took, failed, busy, np.broadcast_to(asked, now.shape)]))
        now = now + took + np.where(failed, PAUSE_S, 0.0)
    table = np.stack(steps, axis=1)
    return [_loop(process, table[:, :, cell], usual[cell]) for cell in range(cells)]


def _dealer(rng: np.random.Generator, users: int, prompts: int) -> Callable[[], NDArray[np.int64]]:
    """Each user's next prompt. Users walk together through one shuffled deck after the other."""
    left: list[int] = []

    def deal() -> NDArray[np.int64]:
        while len(left) < users:
            left.extend(rng.permutation(prompts) if prompts > 1 else [0] * users)
        dealt, left[:users] = left[:users], []
        return np.array(dealt)

    return deal


def _factors(rng: np.random.Generator, process: Process, cells: int) -> Floats:
    """How much slower each user is than others: by itself, and by its load process."""
    own = np.exp(process.differ * rng.standard_normal((cells, process.users)) - process.differ**2 / 2)
    hosts = np.exp(process.hosts_differ * rng.standard_normal((cells, process.hosts)) - process.hosts_differ**2 / 2)
    return np.asarray(own * hosts[:, np.arange(process.users) % process.hosts])


def _spells(rng: np.random.Generator, process: Process, cells: int) -> Callable[[Floats], NDArray[np.bool_]]:
    """Asked with the moments of each cell's users: which lie in a spell. Spells are a stationary alternating process."""
    if not process.share:
        return lambda now: np.zeros(now.shape, dtype=bool)
    end, gap = WARM_S + process.seconds, process.length * (1 - process.share) / process.share
    count = int(3 * end / (gap + process.length)) + 40
    lengths = np.stack([rng.exponential(gap, (cells, count)), rng.exponential(process.length, (cells, count))], axis=2)
    edges = np.cumsum(lengths.reshape(cells, -1), axis=1)
    edges = edges - rng.uniform(0, 0.5, (cells, 1)) * edges[:, -1:]
    apart = np.arange(cells)[:, None] * 1e6
    begins, ends = ((np.clip(edges[:, place::2], -1e5, 4e5) + apart).ravel() for place in (0, 1))
    return lambda now: np.searchsorted(begins, now + apart, side="right") > np.searchsorted(ends, now + apart, side="right")


def _loop(process: Process, steps: Floats, usual: Floats) -> Loop:
    sent, took, failed, busy, asked = (column.ravel() for column in steps)
    user = np.tile(np.arange(process.users), steps.shape[1])
    kept = np.flatnonzero(busy > 0)
    kept = kept[np.argsort(sent[kept], kind="stable")]
    prompt = asked[kept].astype(np.int64)
    return Loop(process, sent[kept] - WARM_S, took[kept], failed[kept] > 0, user[kept], prompt, usual)


def frame(loop: Loop, cell: int = 0, model: str = "m", start: float = START, **more: Any) -> pd.DataFrame:
    """The records of a cell."""
    hosts = np.array([f"w{number}" for number in range(loop.process.hosts)])
    return pd.DataFrame(
        {
            "cell": cell,
            "model": model,
            "bucket": "b",
            "concurrency": loop.process.users,
            "user": loop.user,
            "worker": hosts[loop.user % loop.process.hosts],
            "phase": np.where(loop.sent < 0, "warmup", "measure"),
            "sent_at": start + loop.sent,
            "intended_at": start + loop.sent,
            "ended_at": start + loop.sent + loop.took,
            "e2e_s": loop.took,
            "outcome": np.where(loop.failed, "failed", "ok"),
            "failure": np.where(loop.failed, "throttled", None),
            **more,
        }
    )


def line(process: Process, cell: int = 0, model: str = "m", start: float = START, block: int = 0) -> dict[str, Any]:
    """The line of a cell in the manifest."""
    named = {"cell": cell, "model": model, "bucket": "b", "concurrency": process.users, "status": "complete", "block": block}
    return named | {"started_at": start - WARM_S, "measure_at": start, "drain_at": start + process.seconds}
