"""What of a request a model is known to turn down, by ``core.model_facts``: for the dry run, and for the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fmbench.core.model_facts import Facts

_ABOVE_HIGH = ("xhigh", "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """What a request asks for."""

    given: frozenset[str] = frozenset()
    """Names of inference keys; ``thinking: budget`` and ``thinking: off`` as in ``Facts.turns_down``."""
    effort: str | None = None
    api: str = ""
    """The API's kind: converse, invoke, messages, responses, chat."""


@dataclass(frozen=True, slots=True)
class TurnedDown:
    """A parameter that is answered with HTTP 400, and what is taken instead."""

    name: str
    why: str = ""
    """Empty: whatever its value is."""


def turned_down(facts: Facts, asks: Asks) -> Iterator[TurnedDown]:
    """Each parameter that the model is known to turn down."""
    names = facts.turns_down + (facts.by_responses if asks.api == "responses" else ())
    yield from (TurnedDown(name) for name in names if name in asks.given)
    if facts.off != "disabled" and "thinking: disabled" in asks.given:
        yield TurnedDown("thinking: disabled", f"and takes {facts.off}")
    yield from _effort(facts, asks)
    if facts.not_together and asks.given.issuperset(facts.not_together):
        first, *others = facts.not_together
        yield TurnedDown(first, f"beside {' and '.join(others)}: it takes one of them")


def _effort(facts: Facts, asks: Asks) -> Iterator[TurnedDown]:
    effort = asks.effort
    if effort is None or ("thinking: off" in asks.given and effort == "none"):
        return
    if facts.efforts is not None and effort not in facts.efforts:
        taken = f"it takes {', '.join(facts.efforts)}" if facts.efforts else "it takes none"
        yield TurnedDown("effort", f"as {effort}: {taken}")
    elif facts.top_efforts_think and effort in _ABOVE_HIGH and "thinking: off" in asks.given:
        yield TurnedDown("effort", f"as {effort} while thinking is off: high is the most then")
