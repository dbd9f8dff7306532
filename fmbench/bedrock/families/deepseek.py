"""DeepSeek-R1, which completes a text. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-deepseek.html"""

from __future__ import annotations

from fmbench.bedrock.families.base import Family, Json, given
from fmbench.bedrock.families.chat import chunk, whole
from fmbench.config.schema import Inference


def _body(model_id: str, prompt: str, inference: Inference) -> Json:
    system = inference.system or ""
    return {
        "prompt": f"<｜begin▁of▁sentence｜>{system}<｜User｜>{prompt}<｜Assistant｜>",  # noqa: RUF001
        "max_tokens": inference.max_tokens,
    } | given(temperature=inference.temperature, top_p=inference.top_p, stop=inference.stop_sequences)


FAMILY = Family("deepseek", "deepseek.r1", _body, whole, chunk)
