"""Rules of ``--fail-on``: which changes from one run to the next are a regression."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fmbench.core.failures import UnusableInput
from fmbench.core.figures.figure import Figure, UnknownFigure
from fmbench.core.figures.registry import of_rule

BROKEN, PASSED, UNDECIDED, UNKNOWN = "broken", "passed", "undecided", "unknown"
_RULE = re.compile(r"\s*([\w.]+)\s+([+-])\s*(\d+(?:\.\d+)?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Rule:
    """``ttft_p95 +10%``: the figure may not rise (or fall) by more than ``limit``, a share of A or, without %, its own unit."""

    text: str
    figure: str
    rise: bool
    limit: float
    relative: bool

    @property
    def asked(self) -> Figure:
        """What it is about."""
        return of_rule(self.figure)


def parse_rule(text: str) -> Rule:
    """A rule from the command line. Raises ``UnusableInput`` with the cure."""
    match = _RULE.fullmatch(text)
    if match is None:
        raise UnusableInput(f'--fail-on "{text}": is no rule; write a figure, a sign and a limit, such as "ttft_p95 +10%".')
    try:
        figure = _named(match[1])
    except UnknownFigure as unknown:
        raise UnusableInput(f'--fail-on "{text}": {unknown}, and any other percentile of a latency.') from None
    relative = match[4] == "%"
    return Rule(text, figure.rule, match[2] == "+", float(match[3]) / (100 if relative else 1), relative)


def _named(name: str) -> Figure:
    """A latency may be called as its objective is (``ttft_p95_s``). Raises ``UnknownFigure``."""
    try:
        return of_rule(name)
    except UnknownFigure:
        return of_rule(name.removesuffix("_s"))
