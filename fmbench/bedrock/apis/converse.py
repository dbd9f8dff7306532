"""Converse: Bedrock's own shape, the answer in one piece."""

from __future__ import annotations

from typing import Any

from fmbench.bedrock.answers import BodyAnswer, Json
from fmbench.bedrock.apis.base import Api, through_boto3
from fmbench.bedrock.cache_points import Asking, with_cache_points
from fmbench.bedrock.families.base import given
from fmbench.bedrock.faults import BadResponse
from fmbench.bedrock.foreign import items, word
from fmbench.bedrock.thinking import converse_thinking
from fmbench.config.schema import Model


def parameters(model: Model, asking: Asking) -> Json:
    """boto3's arguments for one user message."""
    inference = asking.inference
    thinking = converse_thinking(model.id, inference)
    fields = thinking.get("additionalModelRequestFields", {}) | (inference.additional_model_request_fields or {})
    arguments = {
        "modelId": model.id,
        "messages": [{"role": "user", "content": [{"text": asking.text}]}],
        "inferenceConfig": given(
            maxTokens=inference.max_tokens,
            temperature=inference.temperature,
            topP=inference.top_p,
            stopSequences=inference.stop_sequences,
        ),
    } | given(
        system=None if inference.system is None else [{"text": inference.system}],
        additionalModelRequestFields=fields or None,
        outputConfig=thinking.get("outputConfig"),
        performanceConfig=inference.performance_config,
        serviceTier=inference.service_tier,
        guardrailConfig=inference.guardrail,
        requestMetadata=asking.metadata,
    )
    return with_cache_points(arguments, asking)


class ConverseAnswer(BodyAnswer):
    """The body of Converse into an ``Exchange``."""

    def read_body(self, body: Json) -> None:
        if "stopReason" not in body:
            raise BadResponse(f"not an answer of Converse: {', '.join(body)[:200]}")
        self.read_served(body)
        self.exchange.stop_reason = word(body["stopReason"], "stopReason")
        for block in _blocks(body):
            text = block.get("text")
            self.saw(text if isinstance(text, str) else "", "reasoningContent" in block or "toolUse" in block)
            if self.pieces is not None and isinstance(text, str):
                self.pieces.append(text)


def _blocks(body: Json) -> list[dict[str, Any]]:
    output: Any = body.get("output")
    message: Any = output.get("message") if isinstance(output, dict) else None
    content: Any = message.get("content") if isinstance(message, dict) else None
    return [block for block in items(content) if isinstance(block, dict)]


API = Api(serialise=through_boto3("Converse", parameters), answer=lambda _model: ConverseAnswer)
