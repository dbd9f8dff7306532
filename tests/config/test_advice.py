"""The dry run says what a model is known to turn down, and why ``max_tokens`` is more than usual."""

from __future__ import annotations

import pytest

from fmbench.cli import main
from fmbench.config.load import parse_config
from fmbench.config.shipped import shipped

OPUS = "us.anthropic.claude-opus-5-5"


def said(models: str, more: str = "") -> list[str]:
    return parse_config(f"models: [{models}]\n{more}", "cfg.yml").warnings


@pytest.mark.parametrize(
    ("model", "more", "words"),
    [
        (f"{{id: {OPUS}}}", "inference: {max_tokens: 9, temperature: 0.0}", ["temperature", "{temperature: null}"]),
        (f"{{id: {OPUS}, inference: {{temperature: null}}}}", "inference: {max_tokens: 9, temperature: 0.0}", []),
        (f"{{id: {OPUS}, inference: {{thinking: 2000, max_tokens: 3000}}}}", "", ["thinking (a budget)"]),
        (f"{{id: {OPUS}}}", "inference: {thinking: off, max_tokens: 9}", ["thinking (off)"]),
        (f"{{id: {OPUS}}}", "inference: {max_tokens: 9, additional_model_request_fields: {top_k: 5}}", ["top_k"]),
        (f"{{id: {OPUS}}}", "", ["max_tokens is 4096"]),
        ("{id: us.amazon.nova-lite-v1:0}", "inference: {temperature: 0.0}", []),
        ("{id: deepseek.v3.2}", "inference: {effort: low, max_tokens: 9}", ["effort: low", "high alone"]),
        ("{id: us.openai.gpt-5.5, api: responses}", "inference: {max_tokens: 15}", ["max_tokens: 15", "16"]),
        ("{id: us.amazon.nova-lite-v1:0}", "cache: {points: [context], ttl: 1h}", ["cache.ttl: 1h", "5m alone"]),
        ("{id: us.meta.llama3-3-70b-instruct-v1:0}", "cache: {points: [context]}", ["cache.points", "refused"]),
        ("{id: us.meta.llama3-3-70b-instruct-v1:0}", "cache: {points: [context], mode: cold}", []),
        ("{id: us.anthropic.claude-opus-4-8}", "cache: {points: [context], ttl: 1h}", []),
    ],
)
def test_what_is_said(model: str, more: str, words: list[str]) -> None:
    warnings = said(model, more)
    assert len(warnings) == (1 if words else 0)
    assert all(word in warnings[0] for word in words)


def test_the_dry_run_says_it(tmp_path, capsys) -> None:
    path = tmp_path / "cfg.yml"
    dataset = 'dataset: {buckets: ["1-500"], prompts_per_bucket: 2}'
    path.write_text(f"models: [{{id: {OPUS}}}]\ninference: {{temperature: 0.0}}\nsimulator: {{}}\n{dataset}")
    assert main(["--config", str(path), "--dry-run", "--output", str(tmp_path)]) == 0
    printed = "".join(capsys.readouterr())
    assert "temperature is known to be turned down" in printed and "max_tokens is 4096" in printed


def test_no_shipped_configuration_sends_what_its_models_turn_down() -> None:
    for each in shipped():
        assert [warning for warning in parse_config(each.text, str(each.path)).warnings if "turned down" in warning] == []


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        ("anthropic.claude-opus-5-5", True),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", True),
        ("anthropic.claude-opus-4-20250514-v1:0", False),
        ("anthropic.claude-3-haiku-20240307-v1:0", False),
        ("openai.gpt-6-sol, api: responses", True),
        ("openai.gpt-oss-120b-1:0", False),
        ("xai.grok-4.7", True),
        ("amazon.nova-2-lite-v1:0", True),
        ("amazon.nova-pro-v1:0", False),
        ("zai.glm-5", False),
        ("zai.glm-5.3", True),
        ("us.anthropic.claude-opus-5-5", False),
        ("au.anthropic.claude-haiku-5-5", False),
        ("arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-opus-5-5", False),
        ("anthropic.claude-opus-5-5, api: messages, endpoint: mantle", False),
    ],
)
def test_a_model_that_only_profiles_serve_is_told_the_prefix(model: str, wanted: bool) -> None:
    assert any("cross-Region inference profile" in warning for warning in said(f"{{id: {model}}}")) is wanted


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("amazon.titan-embed-text-v2:0", False),
        ("us.cohere.embed-v4:0", False),
        ("amazon.nova-canvas-v1:0", False),
        ("amazon.nova-2-sonic-v1:0", False),
        ("cohere.rerank-v3-5:0", False),
        ("stability.sd3-5-large-v1:0", False),
        ("us.amazon.nova-2-lite-v1:0", True),
        ("mistral.ministral-3-8b-instruct", True),
    ],
)
def test_models_that_make_no_text_are_named(model: str, text: bool) -> None:
    assert any("makes no text" in warning for warning in said(f"{{id: {model}}}")) is not text
