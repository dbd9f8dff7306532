"""Mistral AI: text completion for the first models, chat completion for the later ones.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html
"""

from __future__ import annotations

import re
from functools import partial

from fmbench.bedrock.families.base import Family, Json, Piece, count, first, given, mapping, text_of, untold
from fmbench.config.schema import Inference

_TEXT_COMPLETION = re.compile(r"mistral-7b|mixtral|mistral-(large|small)-2402")
INSTRUCT, CHAT = "mistral-instruct", "mistral-chat"


def _body(markup: str | None, model_id: str, prompt: str, inference: Inference) -> Json:
    markup = markup or _markup_of(model_id)
    if markup is None:
        raise untold("Mistral", model_id, (INSTRUCT, CHAT))
    options = {"max_tokens": inference.max_tokens} | given(
        temperature=inference.temperature, top_p=inference.top_p, stop=inference.stop_sequences
    )
    if markup == INSTRUCT:
        system = "" if inference.system is None else inference.system + "\n\n"
        return {"prompt": f"<s>[INST] {system}{prompt} [/INST]"} | options
    system_message = [] if inference.system is None else [{"role": "system", "content": inference.system}]
    return {"messages": [*system_message, {"role": "user", "content": prompt}]} | options


def _markup_of(model_id: str) -> str | None:
    lower = model_id.lower()
    if "mistral." not in lower:
        return None
    return INSTRUCT if _TEXT_COMPLETION.search(lower) else CHAT


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


def marked_up(name: str) -> Family:
    """The family whose prompts are marked up as ``name`` says, whatever the id."""
    return Family(name, None, partial(_body, name), _read, _read)


FAMILY = Family("mistral", "mistral.", partial(_body, None), _read, _read, markups=(INSTRUCT, CHAT), markup_of=_markup_of)
