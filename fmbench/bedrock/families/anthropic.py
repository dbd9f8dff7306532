"""Anthropic Claude: the Messages API. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html"""

from __future__ import annotations

from fmbench.bedrock.cache_points import with_cache_control
from fmbench.bedrock.families.base import Family, Json, Piece, count, given, items, mapping, text_of
from fmbench.bedrock.foreign import counts_in
from fmbench.bedrock.thinking import claude_thinking
from fmbench.config.schema import Inference


def _body(model_id: str, prompt: str, inference: Inference) -> Json:
    return {"anthropic_version": "bedrock-2023-05-31"} | messages_body(model_id, prompt, inference)


def messages_body(model_id: str, prompt: str, inference: Inference) -> Json:
    """The members that a Messages body has, wherever it is sent."""
    return {
        "max_tokens": inference.max_tokens,
        "messages": [{"role": "user", "content": prompt}],
        **claude_thinking(model_id, inference),
    } | given(
        system=inference.system,
        temperature=inference.temperature,
        top_p=inference.top_p,
        stop_sequences=inference.stop_sequences,
    )


def _with_usage(piece: Piece, usage: Json) -> Piece:
    lifetimes, details = mapping(usage.get("cache_creation")), mapping(usage.get("output_tokens_details"))
    piece.input_tokens = count(usage.get("input_tokens"), "input_tokens")
    piece.output_tokens = count(usage.get("output_tokens"), "output_tokens")
    piece.cache_read_tokens = count(usage.get("cache_read_input_tokens"), "cache_read_input_tokens")
    piece.cache_write_tokens = count(usage.get("cache_creation_input_tokens"), "cache_creation_input_tokens")
    piece.cache_write_1h_tokens = count(lifetimes.get("ephemeral_1h_input_tokens"), "ephemeral_1h_input_tokens")
    piece.reasoning_tokens = count(details.get("thinking_tokens"), "thinking_tokens")
    return piece


def _completion(body: Json) -> Piece:
    """What the text completion of Claude 2 and before says, whole or in chunks."""
    return Piece(text=text_of(body["completion"]), stop_reason=body.get("stop_reason"))


def whole(body: Json) -> Piece:
    """A whole answer."""
    if "completion" in body:
        return _completion(body)
    blocks = [mapping(block) for block in items(body.get("content"))]
    piece = Piece(
        text="".join(text_of(block.get("text")) for block in blocks),
        reasoning="".join(text_of(block.get("thinking")) or text_of(block.get("data")) for block in blocks),
        tool=any(block.get("type") == "tool_use" for block in blocks),
        stop_reason=body.get("stop_reason"),
    )
    return _with_usage(piece, counts_in(body.get("usage")))


def chunk(body: Json) -> Piece:
    """An event of a streamed answer."""
    kind = body.get("type")
    if "completion" in body:
        return _completion(body)
    if kind == "message_start":
        piece = _with_usage(Piece(), counts_in(mapping(body.get("message")).get("usage")))
        piece.output_tokens = None  # a placeholder: the count comes with the end
        return piece
    delta = mapping(body.get("delta"))
    if kind == "message_delta":
        return _with_usage(Piece(stop_reason=delta.get("stop_reason")), counts_in(body.get("usage")))
    block = mapping(body.get("content_block"))
    return Piece(
        text=text_of(delta.get("text")) or text_of(block.get("text")),
        reasoning=text_of(delta.get("thinking")) or text_of(block.get("thinking")) or text_of(block.get("data")),
        tool=bool(delta.get("partial_json")),
    )


FAMILY = Family("anthropic", "anthropic.", _body, whole, chunk, thinks=True, cache=with_cache_control)
