"""Amazon Nova. https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html"""

from __future__ import annotations

from fmbench.bedrock.cache_points import with_cache_points
from fmbench.bedrock.families.base import Family, Json, Piece, count, given, items, mapping, text_of
from fmbench.config.schema import Inference


def _body(model_id: str, prompt: str, inference: Inference) -> Json:
    return {
        "schemaVersion": "messages-v1",
        "messages": [{"role": "user", "content": [{"text": prompt}]}],
        "inferenceConfig": given(
            maxTokens=inference.max_tokens,
            temperature=inference.temperature,
            topP=inference.top_p,
            stopSequences=inference.stop_sequences,
        ),
    } | given(system=None if inference.system is None else [{"text": inference.system}])


def _with_usage(piece: Piece, usage: Json) -> Piece:
    piece.input_tokens = count(usage.get("inputTokens"))
    piece.output_tokens = count(usage.get("outputTokens"))
    piece.cache_read_tokens = count(usage.get("cacheReadInputTokenCount"))
    piece.cache_write_tokens = count(usage.get("cacheWriteInputTokenCount"))
    return piece


def _thought(part: Json) -> str:
    """The reasoning in a block or a delta, which may be there in a form that cannot be read."""
    content = mapping(part.get("reasoningContent"))
    told = text_of(mapping(content.get("reasoningText")).get("text")) or text_of(content.get("text"))
    return told or text_of(content.get("redactedContent"))


def _whole(body: Json) -> Piece:
    message = mapping(mapping(body.get("output")).get("message"))
    blocks = [mapping(block) for block in items(message.get("content"))]
    piece = Piece(
        text="".join(text_of(block.get("text")) for block in blocks),
        reasoning="".join(_thought(block) for block in blocks),
        tool=any("toolUse" in block for block in blocks),
        stop_reason=body.get("stopReason"),
    )
    return _with_usage(piece, mapping(body.get("usage")))


def _chunk(body: Json) -> Piece:
    delta = mapping(mapping(body.get("contentBlockDelta")).get("delta"))
    piece = Piece(
        text=text_of(delta.get("text")),
        reasoning=_thought(delta),
        tool="toolUse" in delta,
        stop_reason=mapping(body.get("messageStop")).get("stopReason"),
    )
    return _with_usage(piece, mapping(mapping(body.get("metadata")).get("usage")))


FAMILY = Family("nova", "amazon.nova", _body, _whole, _chunk, cache=with_cache_points)
