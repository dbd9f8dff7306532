"""Amazon Titan Text. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html"""

from __future__ import annotations

from fmbench.bedrock.families.base import Family, Json, Piece, count, first, given, text_of
from fmbench.config.schema import Inference


def _body(model_id: str, prompt: str, inference: Inference) -> Json:
    return {
        "inputText": prompt,
        "textGenerationConfig": given(
            maxTokenCount=inference.max_tokens,
            temperature=inference.temperature,
            topP=inference.top_p,
            stopSequences=inference.stop_sequences,
        ),
    }


def _whole(body: Json) -> Piece:
    result = first(body.get("results"))
    return Piece(
        text=text_of(result.get("outputText")),
        stop_reason=result.get("completionReason"),
        input_tokens=count(body.get("inputTextTokenCount")),
        output_tokens=count(result.get("tokenCount")),
    )


def _chunk(body: Json) -> Piece:
    return Piece(
        text=text_of(body.get("outputText")),
        stop_reason=body.get("completionReason"),
        input_tokens=count(body.get("inputTextTokenCount")),
        output_tokens=count(body.get("totalOutputTextTokenCount")),
    )


FAMILY = Family("titan", "amazon.titan", _body, _whole, _chunk, unsupported=("system",))
