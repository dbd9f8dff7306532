"""The bodies of InvokeModel by model family. A new family is one file here and one row in the tables below."""

from __future__ import annotations

from fmbench.simulator.asks import Json
from fmbench.simulator.families.anthropic import Anthropic
from fmbench.simulator.families.base import Family
from fmbench.simulator.families.chat import Chat
from fmbench.simulator.families.cohere import Cohere
from fmbench.simulator.families.llama import Llama
from fmbench.simulator.families.mistral import Mistral
from fmbench.simulator.families.nova import Nova
from fmbench.simulator.families.titan import Titan

_ANTHROPIC, _NOVA, _LLAMA, _MISTRAL, _TITAN, _COHERE, _CHAT = Anthropic(), Nova(), Llama(), Mistral(), Titan(), Cohere(), Chat()

_BY_MEMBER: tuple[tuple[str, Family], ...] = (
    ("anthropic_version", _ANTHROPIC),
    ("inputText", _TITAN),
    ("inferenceConfig", _NOVA),
    ("max_gen_len", _LLAMA),
    ("message", _COHERE),
)
"""Members that only one family has: they tell the family whatever the id is (ARNs tell nothing)."""

_BY_ID: tuple[tuple[str, Family], ...] = (
    ("anthropic.", _ANTHROPIC),
    ("amazon.nova", _NOVA),
    ("amazon.titan", _TITAN),
    ("meta.llama", _LLAMA),
    ("cohere.", _COHERE),
)


def family_of(model_id: str, body: Json) -> Family:
    """The family whose shape ``body`` has, or that ``model_id`` names; else Mistral's with a prompt, and chat's without."""
    for member, family in _BY_MEMBER:
        if member in body:
            return family
    for name, family in _BY_ID:
        if name in model_id:
            return family
    return _MISTRAL if "prompt" in body else _CHAT
