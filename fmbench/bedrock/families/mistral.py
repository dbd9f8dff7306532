"""Mistral AI: text completion for the first models, chat completion for the later ones.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html
"""

from __future__ import annotations

import re
from functools import partial

from fmbench.bedrock.families import chat
from fmbench.bedrock.families.base import Family, Json, Piece, first, given, text_of, untold
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
    return {"messages": chat.messages(prompt, inference)} | options


def _markup_of(model_id: str) -> str | None:
    lower = model_id.lower()
    if "mistral." not in lower:
        return None
    return INSTRUCT if _TEXT_COMPLETION.search(lower) else CHAT


def _text(body: Json) -> Piece | None:
    """What a text completion says; None: it is a chat completion."""
    if "outputs" not in body:
        return None
    output = first(body["outputs"])
    return Piece(text=text_of(output.get("text")), stop_reason=output.get("stop_reason"))


def _whole(body: Json) -> Piece:
    return _text(body) or chat.whole(body)


def _chunk(body: Json) -> Piece:
    return _text(body) or chat.chunk(body)


def marked_up(name: str) -> Family:
    """The family whose prompts are marked up as ``name`` says, whatever the id."""
    return Family(name, None, partial(_body, name), _whole, _chunk)


FAMILY = Family("mistral", "mistral.", partial(_body, None), _whole, _chunk, markups=(INSTRUCT, CHAT), markup_of=_markup_of)
