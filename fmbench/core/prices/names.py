"""Which model a name in AWS's price list means: no attribute of the list equals a model id, and words come in any order."""

from __future__ import annotations

import re

NameKey = tuple[str, ...]

_NOISE = frozenset(
    """amazon anthropic meta openai cohere deepseek mistral moonshotai moonshot minimax nvidia google qwen xai zai ai writer
    bedrock edition instruct chat it model mantle text deep seek""".split()  # noqa: SIM905
)
_MAKERS = re.compile(
    r"\b(?:OpenAI|MiniMax|Mini Max|AI21 Labs|AI21|Z\.?ai|xAI|Moonshot AI|Writer AI|Mistral AI|DeepSeek)\b", re.IGNORECASE
)
"""Makers whose names would be taken for words of a model's: a name in small and capital letters is of several words."""
_DATE = re.compile(r"-20\d{6}\b")
_VERSION = re.compile(r"(?:-v\d+)?(?::\d+[km]?)+$|-v\d+$")
_OPENAI_VERSION = re.compile(r"-\d+:\d+$")
_SPLIT_NUMBER = re.compile(r"(?<=\d)-(?=\d{1,2}(?:-|$))")
_WORDS = re.compile(r"\d+(?:\.\d+)*(?:[bk](?![a-z]))?|[a-z]+")


def key_of_id(model_id: str) -> NameKey:
    """The words of a model's own id: ``anthropic.claude-haiku-4-5-20251001-v1:0`` is claude, haiku, 4.5."""
    name = _DATE.sub("", model_id.lower().partition(".")[2] or model_id.lower())
    name = _VERSION.sub("", _OPENAI_VERSION.sub("", name))
    return _key(_SPLIT_NUMBER.sub(".", name))


def key_of_name(name: str) -> NameKey:
    """The words of a name in the list: ``Claude Haiku 4.5 (Amazon Bedrock Edition)``, ``NovaLite``, ``Claude4.5Sonnet``."""
    return _key(re.sub(r"([a-z])([A-Z])", r"\1 \2", _MAKERS.sub("", name)).lower())


def _key(text: str) -> NameKey:
    words = _WORDS.findall(text.replace("r+", "r plus"))
    return tuple(sorted({re.sub(r"\.0$", "", word) for word in words} - _NOISE))
