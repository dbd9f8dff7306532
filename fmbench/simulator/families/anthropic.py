"""Anthropic's Messages bodies."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fmbench.simulator import errors, frames
from fmbench.simulator.asks import by_effort, given, thinking_given
from fmbench.simulator.cache import Point
from fmbench.simulator.families.base import Ask, Generation, Json, limits, texts_of


class Anthropic:
    """``{"anthropic_version", "max_tokens", "messages"}`` → ``{"content": [{"type": "text", "text"}], "usage"}``."""

    member = "anthropic_version"
    mark = "anthropic."

    def read(self, body: Json) -> Ask:
        """Anthropic alone insists on ``max_tokens``."""
        if body.get("max_tokens") is None:
            raise errors.validation("max_tokens: Field required")
        return read_messages(body)

    def whole(self, generation: Generation) -> Json:
        """One text block, after a thinking block when the model reasons."""
        thinking = [{"type": "thinking", "thinking": generation.reasoning, "signature": ""}] if generation.reasoning else []
        return {
            **_message(generation),
            "content": [*thinking, {"type": "text", "text": generation.text}],
            "stop_reason": _stop_reason(generation),
            "stop_sequence": generation.stop_sequence,
            "usage": _input_usage(generation) | _output_usage(generation),
        }

    def opening(self, generation: Generation) -> list[Json]:
        """message_start, and the first block's start."""
        message = {
            **_message(generation),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**_input_usage(generation), "output_tokens": 1},
        }
        return [{"type": "message_start", "message": message}, block_start("reasoning" if generation.reasoning else "text", 0)]

    def events(self, generation: Generation) -> list[bytes]:
        """content_block_delta events; a second block starts with the first text after reasoning."""
        thought = [_delta("reasoning", 0, piece) for piece in generation.thought_pieces]
        said = [_delta("text", 1 if thought else 0, piece) for piece in generation.said_pieces]
        if thought and said:
            said[0] = b"".join(map(frames.body_part, (block_stop(0), block_start("text", 1)))) + said[0]
        return thought + said

    def closing(self, generation: Generation) -> list[Json]:
        """content_block_stop, message_delta with the stop reason, message_stop."""
        delta = {"stop_reason": _stop_reason(generation), "stop_sequence": generation.stop_sequence}
        return [
            block_stop(1 if generation.reasoning and generation.text else 0),
            {"type": "message_delta", "delta": delta, "usage": _output_usage(generation)},
            {"type": "message_stop"},
        ]


def read_messages(body: Json) -> Ask:
    """The prompt and parameters of a Messages body."""
    texts_of(body)
    thinking, turned_down = thinking_given(body.get("thinking"))
    found = given(body, temperature="temperature", top_p="top_p", top_k="top_k", stop_sequences="stop_sequences")
    bounds = limits(body, "max_tokens", "stop_sequences")
    said = by_effort((body.get("output_config") or {}).get("effort"))
    ask = Ask(texts=[], given=found | turned_down, effort=said["effort"], thinking=thinking or said["thinking"], **bounds)
    _take(body.get("system"), ask.system, ask)
    for message in body["messages"]:
        _take(message.get("content"), ask.texts, ask)
    return ask


def _take(content: Any, texts: list[str], ask: Ask) -> None:
    """Text and cache points of a content, which is text or a list of blocks."""
    blocks: list[Json] = [{"text": content}] if isinstance(content, str) else content or []
    for block in blocks:
        if isinstance(block.get("text"), str):
            texts.append(block["text"])
        if isinstance(block.get("cache_control"), dict):
            ask.points.append(Point(len(ask.whole_prompt), str(block["cache_control"].get("ttl") or "5m")))


def _message(generation: Generation) -> Json:
    return {
        "id": f"msg_bdrk_{generation.request_id.replace('-', '')[:24]}",
        "type": "message",
        "role": "assistant",
        "model": generation.model_id,
    }


def _input_usage(generation: Generation) -> Json:
    return {
        "input_tokens": generation.input_tokens,
        "cache_creation_input_tokens": generation.cache_write_tokens or 0,
        "cache_read_input_tokens": generation.cache_read_tokens or 0,
        "cache_creation": _by_lifetime(generation),
        "service_tier": generation.tier or "standard",
    }


def _by_lifetime(generation: Generation) -> Json:
    hour = generation.cache_write_1h_tokens
    return {"ephemeral_5m_input_tokens": (generation.cache_write_tokens or 0) - hour, "ephemeral_1h_input_tokens": hour}


def _output_usage(generation: Generation) -> Json:
    details = {"output_tokens_details": {"thinking_tokens": len(generation.thought)}} if generation.thought else {}
    return {"output_tokens": generation.output_tokens, **details}


def _stop_reason(generation: Generation) -> str:
    return "end_turn" if generation.stop_reason == "guardrail_intervened" else generation.stop_reason


def block_start(kind: str, index: int) -> Json:
    block = {"type": "text", "text": ""} if kind == "text" else {"type": "thinking", "thinking": "", "signature": ""}
    return {"type": "content_block_start", "index": index, "content_block": block}


def block_stop(index: int) -> Json:
    return {"type": "content_block_stop", "index": index}


@lru_cache(maxsize=65_536)
def _delta(kind: str, index: int, piece: str) -> bytes:
    delta = {"type": "text_delta", "text": piece} if kind == "text" else {"type": "thinking_delta", "thinking": piece}
    return frames.body_part({"type": "content_block_delta", "index": index, "delta": delta})


FAMILY = Anthropic()
