"""What is known of models by their ids, as ``bedrock-2026-11`` lists it: by hand, id by id."""

from __future__ import annotations

import pytest

from fmbench.core.model_facts import Thinks, bare_id, default_max_tokens, facts_of

SAMPLING = {
    "anthropic.claude-haiku-4-5-20251001-v1:0": False,
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0": False,
    "anthropic.claude-opus-4-6-v1": False,
    "global.anthropic.claude-sonnet-4-6": False,
    "us.anthropic.claude-opus-4-7": True,
    "us.anthropic.claude-opus-4-8": True,
    "us.anthropic.claude-opus-5": True,
    "eu.anthropic.claude-sonnet-5": True,
    "us.anthropic.claude-haiku-5-5": True,
    "global.anthropic.claude-fable-5-2": True,
    "us.anthropic.claude-mythos-5-1": True,
    "us.openai.gpt-6.1-sol": True,
    "openai.gpt-oss-120b-1:0": False,
    "us.xai.grok-4.6": True,
    "us.xai.grok-4.7": False,
    "us.amazon.nova-2-lite-v1:0": False,
    "us.meta.llama4-scout-17b-instruct-v1:0": False,
    "anthropic.claude-3-haiku-20240307-v1:0": False,
}


@pytest.mark.parametrize(("model_id", "turned_down"), SAMPLING.items())
def test_sampling_parameters(model_id: str, turned_down: bool) -> None:
    assert ("temperature" in facts_of(model_id).turns_down) == turned_down


@pytest.mark.parametrize(
    ("model_id", "thinks"),
    [
        ("us.anthropic.claude-opus-5-5", Thinks.ALWAYS),
        ("us.anthropic.claude-sonnet-5-5", Thinks.UNASKED),
        ("us.anthropic.claude-haiku-5-5", Thinks.UNASKED),
        ("us.anthropic.claude-opus-4-8", Thinks.ASKED),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", Thinks.ASKED),
        ("anthropic.claude-3-haiku-20240307-v1:0", Thinks.NEVER),
        ("openai.gpt-oss-20b-1:0", Thinks.ALWAYS),
        ("us.zai.glm-5.3", Thinks.ALWAYS),
        ("zai.glm-5", Thinks.ASKED),
        ("qwen.qwen3-32b-v1:0", Thinks.ASKED),
        ("us.amazon.nova-lite-v1:0", Thinks.NEVER),
        ("somebody.new-model-v1:0", Thinks.NEVER),
    ],
)
def test_thinking(model_id: str, thinks: Thinks) -> None:
    assert facts_of(model_id).thinks is thinks


@pytest.mark.parametrize(
    ("model_id", "bare"),
    [
        ("us.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("us-gov.anthropic.claude-x", "anthropic.claude-x"),
        ("global.openai.gpt-6-sol", "openai.gpt-6-sol"),
        ("ai21.jamba-1-5-mini-v1:0", "ai21.jamba-1-5-mini-v1:0"),
        ("zai.glm-4.7-flash", "zai.glm-4.7-flash"),
        ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("mx.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("ai21.jamba-1-5-large-v1:0", "ai21.jamba-1-5-large-v1:0"),
        ("zai.glm-5.3", "zai.glm-5.3"),
        *(
            (f"arn:aws:bedrock:us-east-1:123456789012:{kind}/abc123", None)
            for kind in ("provisioned-model", "imported-model", "custom-model-deployment", "prompt-router")
        ),
        ("arn:aws:sagemaker:us-east-1:123456789012:endpoint/mine", None),
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", None),
    ],
)
def test_the_bare_id(model_id: str, bare: str | None) -> None:
    assert bare_id(model_id) == bare


@pytest.mark.parametrize(
    ("model_id", "thinking", "effort", "tokens"),
    [
        ("us.amazon.nova-lite-v1:0", None, None, 128),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", 2000, None, 3024),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", None, "low", 4096),
        ("us.anthropic.claude-opus-5-5", None, None, 4096),
        ("us.anthropic.claude-opus-5", "off", None, 128),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", None, None, 128),
        ("anthropic.claude-instant-v1", None, None, 128),
        ("us.anthropic.claude-novel-1", None, None, 4096),
        ("global.anthropic.claude-opus-6-1-20270101-v1:0", None, None, 4096),
        ("newcomer.model-1-v1:0", None, None, 128),
        ("us.anthropic.claude-opus-5-5", "off", None, 4096),
    ],
)
def test_the_default_leaves_room_for_an_answer(
    model_id: str, thinking: str | int | None, effort: str | None, tokens: int
) -> None:
    found, why = default_max_tokens(model_id, thinking, effort)
    assert (found, why is None) == (tokens, tokens == 128)


@pytest.mark.parametrize(
    ("model_id", "runtime", "mantle", "prefix"),
    [
        ("us.xai.grok-4.7", {"converse", "chat"}, {"chat", "responses"}, True),
        ("xai.grok-4.3", set(), {"chat", "responses"}, True),
        ("us.openai.gpt-5.5", {"responses"}, {"chat", "responses"}, True),
        ("us.openai.gpt-6-astra", {"converse", "chat", "responses"}, {"chat", "responses"}, True),
        ("openai.gpt-daybreak-blue-5.6-sol", set(), {"responses"}, True),
        ("openai.gpt-oss-120b-1:0", {"converse", "invoke", "chat"}, {"chat", "responses"}, False),
        ("openai.gpt-oss-safeguard-20b", {"converse", "invoke", "chat"}, {"chat"}, False),
        ("google.gemma-4-26b-a4b", set(), {"chat", "responses"}, True),
        ("us.anthropic.claude-mythos-5-1", {"converse", "invoke", "messages"}, {"messages"}, False),
        ("global.moonshotai.kimi-k3", {"converse", "invoke"}, set(), False),
        ("moonshotai.kimi-k2.5", {"converse", "invoke"}, {"chat"}, False),
        ("mistral.ministral-3-3b-instruct", {"converse", "invoke"}, {"chat"}, False),
    ],
)
def test_where_a_model_is_served(model_id: str, runtime: set[str], mantle: set[str], prefix: bool) -> None:
    """By litellm's map (``supported_endpoints``, ``use_openai_responses_path``) and the reference page's table of doors."""
    facts = facts_of(model_id)
    assert (set(facts.runtime), set(facts.mantle), facts.openai_prefix) == (runtime, mantle, prefix)


@pytest.mark.parametrize(
    ("model_id", "lifetimes"),
    [
        ("us.anthropic.claude-haiku-5-5", ("5m", "1h")),
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", ("5m", "1h")),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", ("5m",)),
        ("us.amazon.nova-2-lite-v1:0", ("5m",)),
        ("us.moonshotai.kimi-k3.1", ()),
        ("us.openai.gpt-6-sol", ()),
    ],
)
def test_for_how_long_a_prompt_is_kept_at_a_point(model_id: str, lifetimes: tuple[str, ...]) -> None:
    assert facts_of(model_id).lifetimes == lifetimes
