"""What is looked at before a run, a file each: each has a ``look(subject)`` that yields what it found. Free calls alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from fmbench.core.preflight import Found
from fmbench.run.preflight.subject import Subject

ORDER = ("credentials", "region", "models", "quotas", "prices", "output")
"""The cheapest and most telling first."""


def look(subject: Subject, only: tuple[str, ...] = ORDER) -> Iterator[Found]:
    """Everything that the checks find, in their order."""
    for name in only:
        check: Callable[[Subject], Iterator[Found]] = import_module(f"fmbench.run.preflight.{name}").look
        yield from check(subject)
