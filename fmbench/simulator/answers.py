"""What a model says: the answer to a synthetic task, right as often as its profile has it, then prose to the asked length."""

from __future__ import annotations

import re
from random import Random

from fmbench.core.synthetic_tasks import FORMS, solve
from fmbench.simulator.text import filler, tokens_of

_FIRST_PARAGRAPHS = tuple(forms.paragraph.format(number=1, body="").rstrip() for forms in FORMS.values())
_NUMBER = re.compile(r"\d+")


def tokens_to_say(prompt: str, length: int, accuracy: float, random: Random) -> list[str]:
    """``length`` tokens of answer to ``prompt``, cut where they end.

    The prompt of a synthetic task is solved from its own text; the answer stands on a line of its own, before any prose.
    """
    certain = random.random() < accuracy
    prose = filler(length, random)
    solution = _solve(prompt)
    if solution is None:
        return prose
    line = tokens_of(f"{solution if certain else _wrong(solution)}\n")
    return (line + prose)[:length]


_ASKED_LENGTH = re.compile(r"Answer with exactly (\d{1,6}) words\b")


def asked_length(prompt: str) -> int | None:
    """How many words the prompt asks for; None: it leaves that to the model."""
    found = _ASKED_LENGTH.search(prompt[:1000])
    return None if found is None else max(1, int(found[1]))


def _solve(prompt: str) -> str | None:
    """``solve``, which takes its time, only where there is a numbered paragraph."""
    return solve(prompt) if any(first in prompt for first in _FIRST_PARAGRAPHS) else None


def _wrong(solution: str) -> str:
    """Another number, or no knowledge: nothing that shares a word with the right answer."""
    changed = _NUMBER.sub(lambda number: str(int(number[0]) + 1), solution)
    return changed if changed != solution else "unknown"
