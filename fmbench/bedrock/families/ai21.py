"""AI21 Jamba. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jamba.html"""

from __future__ import annotations

from fmbench.bedrock.families.base import Family, Json, Piece, count, first, given, mapping, text_of
from fmbench.config.schema import Inference


def _body(model_id: str, prompt: str, inference: Inference) -> Json:
    system = [] if inference.system is None else [{"role": "system", "content": inference.system}]
    return {
        "messages": [*system, {"role": "user", "content": prompt}],
        "max_tokens": inference.max_tokens,
    } | given(temperature=inference.temperature, top_p=inference.top_p, stop=inference.stop_sequences)


def _read(body: Json) -> Piece:
    choice = first(body.get("choices"))
    message = mapping(choice.get("message") or choice.get("delta"))
    usage = mapping(body.get("usage"))
    return Piece(
        text=text_of(message.get("content")),
        tool=bool(message.get("tool_calls")),
        stop_reason=choice.get("finish_reason") or None,
        input_tokens=count(usage.get("prompt_tokens")),
        output_tokens=count(usage.get("completion_tokens")),
    )


FAMILY = Family("ai21", "ai21.", _body, _read, _read)
