"""What Bedrock counts against a quota of tokens: at admission, and at the end of the answer.

Admission takes the prompt, cached tokens included, and ``max_tokens``. At the end what the cache held is given back, and an
output token weighs as many as the model's burndown says. This is of the quota alone: nobody pays for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BURNDOWN: tuple[tuple[str, float], ...] = (
    ("claude-opus-4-8", 15),
    ("claude-3-7-", 5),
    ("claude-opus-4", 5),
    ("claude-sonnet-4", 5),
    ("claude-haiku-4", 5),
    ("claude-opus-5", 10),
    ("claude-sonnet-5", 10),
    ("claude-haiku-5", 10),
    ("claude-fable-5", 10),
    ("claude-mythos-5", 10),
    ("gpt-5.6", 10),
    ("gpt-6", 10),
    (r"claude-[a-z]+-([6-9]|[1-9]\d)\b", 10),
    (r"gpt-([7-9]|[1-9]\d)\b", 10),
    (r"kimi-k[3-9]", 10),
)
"""How many tokens of the quota an output token takes, by a part of the model's id (a regular expression), as of 2026-11; the
first that fits. Of Claude 5.5, GPT-6 and later ones nobody says it: they are taken to be as their forerunners. Elsewhere 1,
and 1 for every model of bedrock-mantle. ``quota: {burndown: …}`` wins over it."""


@dataclass(frozen=True, slots=True)
class Quota:
    """A model's quotas. None: not known, or none."""

    tpm: float | None = None
    rpm: float | None = None
    tpd: float | None = None
    burndown: float = 1.0
    source: str = "config"


def over(own: Quota | None, told: Quota | None) -> Quota | None:
    """What the configuration says (``own``), each size that it leaves out as the account has it (``told``)."""
    if own is None or told is None:
        return own or told
    sizes = {name: getattr(told if getattr(own, name) is None else own, name) for name in ("tpm", "rpm", "tpd")}
    return Quota(**sizes, burndown=own.burndown, source=f"{own.source} + {told.source}")


def burndown_of(model_id: str, endpoint: str = "runtime") -> float:
    """The weight of an output token, from the table."""
    if endpoint == "mantle":
        return 1.0
    return next((weight for part, weight in BURNDOWN if re.search(part, model_id)), 1.0)
