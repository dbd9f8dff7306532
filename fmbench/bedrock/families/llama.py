"""Meta Llama. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html"""

from __future__ import annotations

from fmbench.bedrock.families.base import Family, Json, Piece, count, given, text_of
from fmbench.config.schema import Inference

_LLAMA_3 = ("<|begin_of_text|>", "<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>")
_LLAMA_4 = ("<|begin_of_text|>", "<|header_start|>{role}<|header_end|>\n\n", "<|eot|>")


def _templated(model_id: str, prompt: str, system: str | None) -> str:
    begin, header, end = _LLAMA_4 if "llama4" in model_id.lower() else _LLAMA_3
    spoken = "" if system is None else header.format(role="system") + system + end
    return begin + spoken + header.format(role="user") + prompt + end + header.format(role="assistant")


def _body(model_id: str, prompt: str, inference: Inference) -> Json:
    return {
        "prompt": _templated(model_id, prompt, inference.system),
        "max_gen_len": inference.max_tokens,
    } | given(temperature=inference.temperature, top_p=inference.top_p)


def _read(body: Json) -> Piece:
    return Piece(
        text=text_of(body.get("generation")),
        stop_reason=body.get("stop_reason"),
        input_tokens=count(body.get("prompt_token_count")),
        output_tokens=count(body.get("generation_token_count")),
    )


FAMILY = Family("llama", "meta.llama", _body, _read, _read, unsupported=("stop_sequences",))
