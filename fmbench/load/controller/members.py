"""What the controller knows of each load process."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, field
from typing import Any

from fmbench.load.protocol import Joined, StoredFile


class CrewChanged(Exception):
    """A worker was lost, or does not answer: the cell that was being measured is void."""


class NobodyLeft(Exception):
    """There is no worker to go on with."""


class CellRefused(Exception):
    """A worker cannot carry the cell, and no other could: why stands in the message."""


@dataclass(slots=True)
class Member:
    """One load process that takes part."""

    client_id: str
    name: str
    host: str = ""
    pid: int = 0
    offset_s: float = 0.0
    """What to take from its stamps to get this process's time."""
    round_trip_s: float | None = None
    endpoint_round_trip_s: float | None = None
    """The shortest TCP connect to the endpoint, from where it runs; None: not known, or the endpoint is on its machine."""
    region: str | None = None
    """The AWS region that its machine says it is in."""
    drift_s: float | None = None
    sent: int = 0
    ok: int = 0
    failed: int = 0
    dropped: int = 0
    lost: bool = False
    silent: bool = False
    """It did not say that it ends: it just answers no more."""
    stored: Mapping[str, StoredFile] = field(default_factory=dict)
    """What it stored by itself, by name."""

    @classmethod
    def of(cls, client_id: str, joined: Joined) -> Member:
        """The process that said so."""
        return cls(
            client_id,
            joined.worker,
            joined.host,
            joined.pid,
            endpoint_round_trip_s=joined.endpoint_round_trip_s,
            region=joined.region,
        )

    @property
    def words(self) -> str:
        """The process for people who look for it."""
        return f"{self.name} (process {self.pid} on {self.host})"

    def to_row(self) -> dict[str, Any]:
        """The worker's line in load.json."""
        counts = {"sent": self.sent, "ok": self.ok, "failed": self.failed, "abandoned": self.sent - self.ok - self.failed}
        counts |= {"dropped": self.dropped} if self.dropped else {}
        clock = {"offset_s": self.offset_s, "round_trip_s": self.round_trip_s, "drift_s": self.drift_s}
        place = {"endpoint_round_trip_s": self.endpoint_round_trip_s, "region": self.region}
        row = {"id": self.name, "host": self.host, "pid": self.pid, **place, **counts, "lost": self.lost, "clock": clock}
        row |= {"silent": True} if self.lost and self.silent else {}
        return row | ({"parts": {name: asdict(file) for name, file in self.stored.items()}} if self.stored else {})


def lost_members(members: Mapping[str, Member], present: Set[str], silent: Set[str]) -> list[str]:
    """Those that took part and are not ``present`` any more, in words; each member's own marks are set."""
    for client, member in members.items():
        member.lost = client not in present
        member.silent = member.silent or client in silent
    gone = [member for member in members.values() if member.lost]
    return sorted(f"{member.words}, which does not answer" if member.silent else member.name for member in gone)
