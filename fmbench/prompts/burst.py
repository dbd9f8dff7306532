"""Prompts of a given length that ask for an answer of a given length: what a search for a quota sends."""

from __future__ import annotations

from fmbench.core.records import Prompt

ASKING = "Answer with exactly {words} words and nothing else. What follows is filler without meaning; do not read it."
ASKING_TOKENS = 24
"""About so many tokens the sentence has."""


def burst_prompt(tokens: int, answer_tokens: int) -> Prompt:
    """A prompt of about so many tokens that asks for an answer of about so many."""
    words = max(0, tokens - ASKING_TOKENS)
    text = ASKING.format(words=answer_tokens) + " and" * words
    return Prompt(
        prompt_id=f"burst-{tokens}-{answer_tokens}", text=text, tokens=words + ASKING_TOKENS, dataset="burst", language="en"
    )
