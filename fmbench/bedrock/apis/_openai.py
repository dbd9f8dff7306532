"""What OpenAI's two APIs have in common: where bedrock-mantle has them, and how they count tokens."""

from __future__ import annotations

from fmbench.bedrock.answers import Json
from fmbench.bedrock.families.base import Piece, count, mapping
from fmbench.config.schema import Model
from fmbench.core.model_facts import facts_of


def path(model: Model, end: str) -> str:
    """The path of an API: ``/openai/v1/…``, or ``/v1/…`` for those models that bedrock-mantle has there."""
    at_mantle = model.endpoint == "mantle" and not facts_of(model.id).openai_prefix
    return f"/v1/{end}" if at_mantle else f"/openai/v1/{end}"


def with_usage(piece: Piece, usage: Json, prompt: str, answer: str) -> Piece:
    """Take the counts of ``<prompt>_tokens`` and ``<answer>_tokens``; OpenAI counts what a cache read and wrote in the first."""
    details = mapping(usage.get(f"{prompt}_tokens_details"))
    piece.cache_read_tokens = count(details.get("cached_tokens"), "cached_tokens")
    piece.cache_write_tokens = count(details.get("cache_write_tokens"), "cache_write_tokens")
    total = count(usage.get(f"{prompt}_tokens"), f"{prompt}_tokens")
    cached = (piece.cache_read_tokens or 0) + (piece.cache_write_tokens or 0)
    piece.input_tokens = None if total is None else count(total - cached, f"{prompt}_tokens without those cached")
    piece.output_tokens = count(usage.get(f"{answer}_tokens"), f"{answer}_tokens")
    piece.reasoning_tokens = count(mapping(usage.get(f"{answer}_tokens_details")).get("reasoning_tokens"), "reasoning_tokens")
    return piece
