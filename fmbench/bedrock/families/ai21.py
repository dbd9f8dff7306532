"""AI21 Jamba, and the answers of Jurassic before it.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jamba.html
"""

from __future__ import annotations

from fmbench.bedrock.families import chat
from fmbench.bedrock.families.base import Family, Json, Piece, first, given, mapping, text_of
from fmbench.config.schema import Inference


def _body(model_id: str, prompt: str, inference: Inference) -> Json:
    return {"messages": chat.messages(prompt, inference), "max_tokens": inference.max_tokens} | given(
        temperature=inference.temperature, top_p=inference.top_p, stop=inference.stop_sequences
    )


def _whole(body: Json) -> Piece:
    if "completions" not in body:
        return chat.whole(body)
    completion = first(body["completions"])
    text = text_of(mapping(completion.get("data")).get("text"))
    return Piece(text=text, stop_reason=mapping(completion.get("finishReason")).get("reason"))


FAMILY = Family("ai21", "ai21.", _body, _whole, chat.chunk)
