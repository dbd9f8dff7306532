"""Mistral AI: text completion for the first models, chat completion for the later ones.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html
"""

from __future__ import annotations

import re

from fmbench.bedrock.families.base import Family, Json, Piece, count, first, given, mapping, text_of
from fmbench.config.schema import Inference

_TEXT_COMPLETION = re.compile(r"mistral-7b|mixtral|mistral-(large|small)-2402")


def _body(model_id: str, prompt: str, inference: Inference) -> Json:
    options = {"max_tokens": inference.max_tokens} | given(
        temperature=inference.temperature, top_p=inference.top_p, stop=inference.stop_sequences
    )
    if _TEXT_COMPLETION.search(model_id):
        system = "" if inference.system is None else inference.system + "\n\n"
        return {"prompt": f"<s>[INST] {system}{prompt} [/INST]"} | options
    system_message = [] if inference.system is None else [{"role": "system", "content": inference.system}]
    return {"messages": [*system_message, {"role": "user", "content": prompt}]} | options


def _read(body: Json) -> Piece:
    output = first(body.get("outputs")) or first(body.get("choices"))
    message = mapping(output.get("message") or output.get("delta"))
    usage = mapping(body.get("usage"))
    return Piece(
        text=text_of(output.get("text")) or text_of(message.get("content")),
        tool=bool(message.get("tool_calls")),
        stop_reason=output.get("stop_reason") or output.get("finish_reason"),
        input_tokens=count(usage.get("prompt_tokens")),
        output_tokens=count(usage.get("completion_tokens")),
    )


FAMILY = Family("mistral", "mistral.", _body, _read, _read)
