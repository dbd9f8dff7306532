"""Cohere Command R. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html"""

from __future__ import annotations

from fmbench.bedrock.families.base import Family, Json, Piece, count, first, given, mapping, text_of
from fmbench.config.schema import Inference


def _body(model_id: str, prompt: str, inference: Inference) -> Json:
    return {"message": prompt, "max_tokens": inference.max_tokens} | given(
        preamble=inference.system,
        temperature=inference.temperature,
        p=inference.top_p,
        stop_sequences=inference.stop_sequences,
    )


def _with_usage(piece: Piece, body: Json) -> Piece:
    billed = mapping(mapping(body.get("meta")).get("billed_units"))
    piece.input_tokens = count(billed.get("input_tokens"))
    piece.output_tokens = count(billed.get("output_tokens"))
    return piece


def _whole(body: Json) -> Piece:
    said = first(body["generations"]) if "generations" in body else body  # Command's own answers, before Command R
    return _with_usage(Piece(text=text_of(said.get("text")), stop_reason=said.get("finish_reason")), body)


def _chunk(body: Json) -> Piece:
    if body.get("event_type") == "stream-end":  # repeats the whole text under "response"
        return _with_usage(Piece(stop_reason=body.get("finish_reason")), mapping(body.get("response")))
    return Piece(text=text_of(body.get("text")), stop_reason=body.get("finish_reason") if body.get("is_finished") else None)


FAMILY = Family("cohere", "cohere.", _body, _whole, _chunk)
