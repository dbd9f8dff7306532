"""Was the instrument fit to measure a cell? Judged from what its load processes recorded in the cell's measured windows.

PASS, DEGRADED (read the figures with care) or INVALID: the figures are the load processes' as much as the model's. That a model
does not meet an objective is believed only of a cell that is not INVALID, and only when it is beyond it by more than their lag.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from fmbench.core.cells import MeasuredCell, Window
from fmbench.core.lateness import KERNEL, PROCESS, Lateness, lateness_of
from fmbench.core.messages import Amount, Message
from fmbench.core.objectives import MET, NOT_MET, UNDECIDED, Judgement, Objective
from fmbench.core.quantiles import Floats
from fmbench.core.units import SECONDS

PASS, DEGRADED, INVALID = "PASS", "DEGRADED", "INVALID"

LAG_SHARE, LAG_SHARE_INVALID, LAG_FLOOR_S = 0.05, 0.5, 0.005
"""Lag beyond 5 % of the lowest median latency that it can be in degrades a cell, beyond half of it invalidates; under 5 ms it is
nothing. It can be in every latency from sending but those by the kernel's stamps: TTFT, and every other where the ends of answers
are stamped, too. Then it can only keep users from their next requests."""
WAITING = 2 / 3
"""Fewer of the users in flight, as answers were read late, invalidate a cell: starts late by half of a latency leave as many."""
BUSY_CPU, REACHED = 0.9, 0.9
"""A load process above 90 % of a core degrades a cell; it invalidates one with less than 90 % of its users in flight."""
DELAY_SHARE, DELAY_SHARE_INVALID, DELAY_FLOOR_S = 0.05, 0.5, 0.02
"""Starts late by 5 % of the median latency (p99) degrade a cell, by half of it (median) invalidate; under 20 ms is nothing. In a
closed loop, whose latencies begin when requests go out, one start in a hundred is nothing either: there it takes 5 in 100."""


@dataclass(frozen=True, slots=True)
class RanLate(Message):
    """How late the event loops ran, beside the median latency that it can spoil."""

    says: ClassVar[str] = (
        "The load processes ran up to {lag} late (p99 of a second), beside a median latency of {median}. "
        "Use more load processes (--processes) or a less busy machine"
    )
    lag: Amount
    median: Amount


@dataclass(frozen=True, slots=True)
class ReadLate(Message):
    """How late answers were read, measured on each request, beside the median latency that it can spoil."""

    says: ClassVar[str] = (
        "The load processes read answers up to {lag} late (p95, measured on each request), beside a median latency of {median}. "
        "Use more load processes (--processes) or a less busy machine"
    )
    lag: Amount
    median: Amount


@dataclass(frozen=True, slots=True)
class ReadLateAndShort(Message):
    """Users who were kept from their next requests, as their answers were read late."""

    says: ClassVar[str] = (
        "The load processes read answers up to {lag} late (p95, measured on each request), with {reached:.0f} % of the users in "
        "flight. Use more load processes (--processes) or a less busy machine"
    )
    lag: Amount
    reached: float


@dataclass(frozen=True, slots=True)
class Busy(Message):
    """Load processes without CPU time left."""

    says: ClassVar[str] = (
        "Load processes used {cpu:.0f} % of a core (p95). Use more load processes (--processes) or fewer users on each"
    )
    cpu: float


@dataclass(frozen=True, slots=True)
class BusyAndShort(Message):
    """The same, and fewer requests in flight than users."""

    says: ClassVar[str] = (
        "Load processes used {cpu:.0f} % of a core (p95), with {reached:.0f} % of the users in flight. "
        "Use more load processes (--processes) or fewer users on each"
    )
    cpu: float
    reached: float


@dataclass(frozen=True, slots=True)
class SentLate(Message):
    """Requests that went out so late that it counts against the whole cell."""

    says: ClassVar[str] = (
        "Requests went out up to {late} (p99) after their users wanted them. "
        "Use more load processes (--processes) or fewer users on each"
    )
    late: Amount


@dataclass(frozen=True, slots=True)
class SentSomewhatLate(Message):
    """Some requests that went out late."""

    says: ClassVar[str] = (
        "Requests went out up to {late} (p99) after their users wanted them. "
        "New connections or a busy load process: see the health files"
    )
    late: Amount


@dataclass(frozen=True, slots=True)
class WaitedForCredentials(Message):
    """Requests that went out late as there was nothing to sign them with."""

    says: ClassVar[str] = (
        "Requests went out up to {late} (p99) after their users wanted them: they waited up to {wait} for AWS credentials. "
        "Have the provider (credential_process, single sign-on, a role) give credentials that last longer, or give them sooner"
    )
    late: Amount
    wait: Amount


@dataclass(frozen=True, slots=True)
class DoubtReason(Message):
    """A doubt as a sentence."""

    says: ClassVar[str] = "{about}."
    about: Message


@dataclass(frozen=True, slots=True)
class NotMeasurable(Message):
    """Why an objective is undecided in a cell that the load processes spoilt."""

    says: ClassVar[str] = "the load process could not measure it. {about}"
    about: Message


@dataclass(frozen=True, slots=True)
class MayBeLag(Message):
    """Why an objective that is missed by no more than the lag is undecided."""

    says: ClassVar[str] = (
        "the load processes ran up to {lag} late, which may be all of the difference. "
        "Use more load processes (--processes) or a less busy machine"
    )
    lag: Amount


@dataclass(frozen=True, slots=True)
class BegunLate(Message):
    """Why an open loop's limit that is missed only from the planned moment on is undecided."""

    says: ClassVar[str] = (
        "requests began up to {late} (p99) after their planned moments, which may be all of the difference. "
        "Use more load processes (--processes) or a less busy machine"
    )
    late: Amount


@dataclass(frozen=True, slots=True)
class NotCarried(Message):
    """Why a limit that is kept by what an open loop sent is undecided for the rate that was asked for."""

    says: ClassVar[str] = (
        "{dropped} planned requests could not be started, as many were in flight as may be: the rate was not sent. "
        "Raise load.max_in_flight, or ask for a lower rate"
    )
    dropped: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """One reason not to trust a cell's figures fully. ``size`` ranks doubts of one subject over cells."""

    subject: str
    verdict: str
    about: Message
    size: float


@dataclass(frozen=True, slots=True)
class Instrument:
    """How the load processes fared in one cell. None: nothing was recorded."""

    lag_s: float | None
    """How late they were: the measured lateness of 95 in 100 requests, else what their event loops' lag lets infer."""
    lateness: Lateness | None
    cpu: float | None
    start_delay_p99_s: float | None
    new_connections: int | None
    doubts: tuple[Doubt, ...]

    @property
    def verdict(self) -> str:
        """The gravest of its doubts."""
        verdicts = {doubt.verdict for doubt in self.doubts}
        return INVALID if INVALID in verdicts else DEGRADED if DEGRADED in verdicts else PASS

    @property
    def lacked_credentials(self) -> bool:
        """Whether users waited for AWS credentials."""
        return any(isinstance(doubt.about, WaitedForCredentials) for doubt in self.doubts)

    @property
    def late(self) -> bool:
        """Whether users waited for their load process so long that fewer requests were in flight than asked for."""
        return any(doubt.subject != "instrument" and doubt.verdict == INVALID for doubt in self.doubts)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the summary."""
        figures = {name: getattr(self, name) for name in ("lag_s", "cpu", "start_delay_p99_s", "new_connections")}
        late = self.lateness
        clock = {"ttft_clock": PROCESS if late is None else late.clock, "lateness_s": None if late is None else late.to_dict()}
        return {"verdict": self.verdict, **figures, **clock, "reasons": [DoubtReason(doubt.about) for doubt in self.doubts]}


def instrument_of(cell: MeasuredCell, medians: list[float | None], in_flight: float | None, health: pd.DataFrame) -> Instrument:
    """Judge a cell by the ``health`` rows of its windows. ``medians``: of its TTFT and end-to-end latency, seconds;
    ``in_flight``: requests, on average."""
    rows = health_in(health, cell.windows)
    late, cpu = lateness_of(cell.rows), _quantile(numbers(rows, "cpu"), 0.95)
    delays = start_delays(cell)
    known = [median for median in medians if median is not None]
    reached = 1.0 if in_flight is None or cell.rate_per_min is not None else in_flight / cell.concurrency
    lag = _waiting(late, known, reached) if late is not None and late.ends else _lag(late, rows, known)
    doubts = [*lag, *_busy(cpu, reached), *_late(delays, max(known, default=None), _waited(rows), cell.rate_per_min is None)]
    connections = numbers(rows, "new_connections")
    return Instrument(
        lag_s=instrument_error(rows) if late is None else late.p95,
        lateness=late,
        cpu=cpu,
        start_delay_p99_s=_quantile(delays, 0.99),
        new_connections=int(connections.sum()) if len(connections) else None,
        doubts=tuple(doubts),
    )


def _lag(late: Lateness | None, rows: pd.DataFrame, medians: list[float]) -> Iterator[Doubt]:
    """How late the load processes were: every latency that they stamp themselves can be wrong by so much, and no other."""
    lag = instrument_error(rows) if late is None else late.p95
    stamped = late is not None and late.clock == KERNEL
    spoilt = max(medians, default=None) if stamped else min(medians, default=None)
    if lag is None or spoilt is None or lag <= max(LAG_FLOOR_S, LAG_SHARE * spoilt):
        return
    verdict = INVALID if lag > LAG_SHARE_INVALID * spoilt else DEGRADED
    sizes = Amount(lag, SECONDS), Amount(spoilt, SECONDS)
    yield Doubt("instrument", verdict, RanLate(*sizes) if late is None else ReadLate(*sizes), lag / spoilt)


def _waiting(late: Lateness, medians: list[float], reached: float) -> Iterator[Doubt]:
    """A lag that is in no latency keeps the users of a closed loop from their next requests."""
    if late.p95 > max(LAG_FLOOR_S, LAG_SHARE * max(medians, default=0.0)) and reached < WAITING:
        yield Doubt("load process", INVALID, ReadLateAndShort(Amount(late.p95, SECONDS), 100 * reached), 1 / max(reached, 0.01))


def _busy(cpu: float | None, reached: float) -> Iterator[Doubt]:
    """Load processes without CPU time left measure themselves."""
    if cpu is not None and cpu > BUSY_CPU:
        verdict = INVALID if reached < REACHED else DEGRADED
        about = Busy(100 * cpu) if reached >= REACHED else BusyAndShort(100 * cpu, 100 * reached)
        yield Doubt("load process", verdict, about, cpu)


def _waited(rows: pd.DataFrame) -> float:
    """The longest that a request waited for its credentials, seconds."""
    return float(numbers(rows, "credentials_wait_s").max(initial=0.0))


def _late(delays: Floats, usual: float | None, waited_s: float, closed: bool) -> Iterator[Doubt]:
    """Requests that went out later than their users wanted; for want of credentials where these took most of it."""
    late, typical = _quantile(delays, 0.99), _quantile(delays, 0.5)
    if late is None or typical is None or usual is None:
        return
    often = 0.95 if closed and waited_s < late / 2 else 0.99
    if float(np.quantile(delays, often)) <= max(DELAY_FLOOR_S, DELAY_SHARE * usual):
        return
    verdict = INVALID if typical > max(DELAY_FLOOR_S, DELAY_SHARE_INVALID * usual) else DEGRADED
    about: Message = SentLate(Amount(late, SECONDS)) if verdict == INVALID else SentSomewhatLate(Amount(late, SECONDS))
    if waited_s >= late / 2:
        about = WaitedForCredentials(Amount(late, SECONDS), Amount(waited_s, SECONDS))
    yield Doubt("start delay", verdict, about, late / usual)


def believed(judgement: Judgement, objective: Objective, instrument: Instrument) -> Judgement:
    """What is left of a judgement beside the state of the instrument: a saturated generator never reports a slow model."""
    if instrument.verdict == INVALID and (judgement.status == NOT_MET or (judgement.status == MET and instrument.late)):
        worst = next(doubt for doubt in instrument.doubts if doubt.verdict == INVALID)
        return _undecided(judgement, NotMeasurable(worst.about))
    lag, asked = instrument.lag_s or 0.0, objective.percentile
    of_ttft = asked is not None and asked.latency.column == "ttft_s"
    if instrument.lateness and (instrument.lateness.ends or (of_ttft and instrument.lateness.clock == KERNEL)):
        lag = 0.0
    slow = judgement.status == NOT_MET and asked is not None and asked.latency.from_sending
    if instrument.verdict == DEGRADED and slow and judgement.value is not None and judgement.value - lag <= objective.limit:
        return _undecided(judgement, MayBeLag(Amount(lag, SECONDS)))
    return judgement


def begun_late(judgement: Judgement, instrument: Instrument) -> Judgement:
    """What is left of an open loop's limit that is missed from the planned moment on, and not from sending on."""
    return _undecided(judgement, BegunLate(Amount(instrument.start_delay_p99_s or 0.0, SECONDS)))


def not_carried(judgement: Judgement, dropped: int) -> Judgement:
    """What is left of a limit that is kept by those requests of an open loop alone that could be started."""
    return _undecided(judgement, NotCarried(dropped))


def _undecided(judgement: Judgement, why: Message) -> Judgement:
    return replace(judgement, status=UNDECIDED, requests_needed=None, why=why)


def health_in(health: pd.DataFrame, windows: list[Window]) -> pd.DataFrame:
    """The health rows whose time lies in a measured window by half at least: others say nothing of it.

    A row is of the ``for_s`` seconds before ``at``; of one where that is not said."""
    if "at" not in health:
        return health
    ended = health["at"].to_numpy(dtype=np.float64, na_value=np.nan)
    lasted = health["for_s"].fillna(1.0).to_numpy(dtype=np.float64) if "for_s" in health else np.ones(len(health))
    inside = np.zeros(len(health), dtype=bool)
    for start, end in windows:
        inside |= np.minimum(ended, end) - np.maximum(ended - lasted, start) >= np.minimum(lasted, end - start) / 2
    return health[inside]


def instrument_error(health: pd.DataFrame) -> float | None:
    """The 95th percentile over all seconds and workers of the event loop's p99 lag, seconds."""
    return _quantile(numbers(health, "lag_p99_s"), 0.95)


def start_delays(cell: MeasuredCell) -> Floats:
    """Seconds from intended to sent of a cell's measured requests."""
    rows = cell.rows[cell.rows.measured]
    delays = rows.number("sent_at") - rows.number("intended_at")
    return delays[~np.isnan(delays)]


def numbers(health: pd.DataFrame, column: str) -> Floats:
    """A column of health rows without nulls."""
    if column not in health:
        return np.empty(0)
    values = pd.to_numeric(health[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(values[~np.isnan(values)])


def _quantile(values: Floats, share: float) -> float | None:
    return float(np.quantile(values, share)) if len(values) else None
