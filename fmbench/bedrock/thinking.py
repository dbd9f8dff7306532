"""How a model is asked to think, in each API's own form. Sources and date: ``core/model_facts.py``."""

from __future__ import annotations

from typing import Any

from fmbench.config.schema import Inference
from fmbench.core.failures import UnusableInput
from fmbench.core.model_facts import Facts, Thinks, Way, facts_of

Json = dict[str, Any]
LEAST_BUDGET = 1024
"""Fewer thinking tokens are refused by Claude."""


def claude_thinking(model_id: str, inference: Inference) -> Json:
    """``thinking`` and ``output_config`` of a Messages body. Raises ``UnusableInput`` where no answer would fit."""
    thinking = _claude_member(facts_of(model_id), model_id, inference)
    effort = {} if inference.effort is None else {"output_config": {"effort": inference.effort}}
    return ({} if thinking is None else {"thinking": thinking}) | effort


def converse_thinking(model_id: str, inference: Inference) -> Json:
    """Converse's ``outputConfig`` or ``additionalModelRequestFields``. Raises ``UnusableInput`` for what has no form."""
    facts = facts_of(model_id)
    if facts.way in (Way.CLAUDE, None):
        member = _claude_member(facts, model_id, inference) if facts.way else _unknown_member(model_id, inference)
        effort = {} if inference.effort is None else {"outputConfig": {"effort": inference.effort}}
        return ({} if member is None else {"additionalModelRequestFields": {"thinking": member}}) | effort
    fields = effort_fields(model_id, inference)
    return {"additionalModelRequestFields": fields} if fields else {}


def effort_fields(model_id: str, inference: Inference) -> Json:
    """The members that tell a model other than Claude how much to think, as it takes them itself."""
    return _fields(facts_of(model_id), effort_of(model_id, inference))


def effort_of(model_id: str, inference: Inference) -> str | None:
    """The effort that stands for ``effort`` and ``thinking`` where an effort is all that can be given; None: none is sent."""
    if isinstance(inference.thinking, int):
        raise UnusableInput(
            f"models: {model_id}: inference.thinking = {inference.thinking}: a budget has a form for Claude only, "
            "by api: messages, converse-stream or invoke-stream. Write effort: low | medium | high instead."
        )
    if inference.effort is not None:
        return inference.effort
    facts = facts_of(model_id)
    if inference.thinking == "on":
        return facts.on_effort
    return "none" if inference.thinking == "off" and facts.thinks is not Thinks.ASKED else None


def _claude_member(facts: Facts, model_id: str, inference: Inference) -> Json | None:
    thinking = inference.thinking
    if thinking is None:
        return None
    if thinking == "off":
        return {"type": facts.off}
    if thinking == "on" and facts.adaptive:
        return {"type": "adaptive"}
    most = inference.max_tokens or 0
    budget = max(LEAST_BUDGET, most // 2) if thinking == "on" else thinking
    if not LEAST_BUDGET <= int(budget) < most:
        raise UnusableInput(
            f"models: {model_id}: inference.thinking takes a budget of {LEAST_BUDGET} tokens at least, and less than max_tokens "
            f"(it is {most}): raise max_tokens, or leave it out."
        )
    return {"type": "enabled", "budget_tokens": budget}


def _unknown_member(model_id: str, inference: Inference) -> Json | None:
    if inference.thinking not in (None, "off"):
        raise UnusableInput(
            f"models: {model_id}: inference.thinking: how this model is asked to think is not known. "
            "Write what it takes under additional_model_request_fields."
        )
    return None


def _fields(facts: Facts, effort: str | None) -> Json:
    if effort is None:
        return {}
    if facts.way is Way.REASONING:
        return {"reasoning": {"effort": effort}}
    if facts.way is Way.NOVA:
        switched = {"type": "disabled"} if effort == "none" else {"type": "enabled", "maxReasoningEffort": effort}
        return {"reasoningConfig": switched}
    return {str(facts.way): effort}
