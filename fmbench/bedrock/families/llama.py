"""Meta Llama. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html"""

from __future__ import annotations

import re
from functools import partial

from fmbench.bedrock.families.base import Family, Json, Piece, count, given, text_of, untold
from fmbench.config.schema import Inference

MARKUPS = {
    "llama3": ("<|begin_of_text|>", "<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>"),
    "llama4": ("<|begin_of_text|>", "<|header_start|>{role}<|header_end|>\n\n", "<|eot|>"),
}
_GENERATION = re.compile(r"meta\.llama-?([34])(?!\d)")


def _templated(markup: str, prompt: str, system: str | None) -> str:
    begin, header, end = MARKUPS[markup]
    spoken = "" if system is None else header.format(role="system") + system + end
    return begin + spoken + header.format(role="user") + prompt + end + header.format(role="assistant")


def _body(markup: str | None, model_id: str, prompt: str, inference: Inference) -> Json:
    markup = markup or _markup_of(model_id)
    if markup is None:
        raise untold("Llama", model_id, tuple(MARKUPS))
    return {
        "prompt": _templated(markup, prompt, inference.system),
        "max_gen_len": inference.max_tokens,
    } | given(temperature=inference.temperature, top_p=inference.top_p)


def _markup_of(model_id: str) -> str | None:
    generation = _GENERATION.search(model_id.lower())
    return None if generation is None else f"llama{generation[1]}"


def _read(body: Json) -> Piece:
    return Piece(
        text=text_of(body.get("generation")),
        stop_reason=body.get("stop_reason"),
        input_tokens=count(body.get("prompt_token_count")),
        output_tokens=count(body.get("generation_token_count")),
    )


def marked_up(name: str) -> Family:
    """The family whose prompts are marked up as ``name`` says, whatever the id."""
    return Family(name, None, partial(_body, name), _read, _read, unsupported=("stop_sequences",))


FAMILY = Family(
    "llama",
    "meta.llama",
    partial(_body, None),
    _read,
    _read,
    unsupported=("stop_sequences",),
    markups=tuple(MARKUPS),
    markup_of=_markup_of,
)
