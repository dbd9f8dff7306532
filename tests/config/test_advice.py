"""The dry run says what a model is known to turn down, and why ``max_tokens`` is more than usual."""

from __future__ import annotations

import pytest
from genai_prices.data import providers

from fmbench.cli import main
from fmbench.config.load import parse_config
from fmbench.config.model_ids import about_id
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


@pytest.mark.parametrize(
    ("model_id", "region", "words"),
    [
        ("us.anthropic.claude-opus-4-7", "us-west-2", None),
        ("us.anthropic.claude-opus-4-7", "ca-central-1", None),
        ("us.anthropic.claude-opus-4-7", "eu-west-1", "write eu.anthropic.claude-opus-4-7 or global.anthropic.claude-opus-4-7"),
        ("us.amazon.nova-lite-v1:0", "us-gov-west-1", "write us-gov.amazon.nova-lite-v1:0 where"),
        (
            "us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us-east-1",
            "write us.anthropic.claude-sonnet-4-5-20250929-v1:0 or",
        ),
        ("apac.amazon.nova-lite-v1:0", "ap-southeast-2", None),
        ("global.anthropic.claude-opus-4-7", "eu-west-1", None),
        ("zz.amazon.nova-lite-v1:0", "eu-west-1", None),
        ("arn:aws:bedrock:eu-west-1:111122223333:inference-profile/us.amazon.nova-lite-v1:0", "us-east-1", "from eu-west-1"),
        ("arn:aws:bedrock:us-east-1:111122223333:imported-model/abc", "us-east-1", None),
        ("us.anthropic.claude-hiaku-4-5-20251001-v1:0", "us-east-1", "did you mean us.anthropic.claude-haiku-4-5-20251001-v1:0?"),
        ("amazon.nova-lite-v1.0", "us-east-1", "did you mean amazon.nova-lite-v1:0?"),
        ("us.anthropic.claude-opus-9-v1:0", "us-east-1", None),
        ("amazon.nova-premier-v1:0", "us-east-1", None),
        ("nova-lite", "us-east-1", "Write the whole id, such as us.amazon.nova-lite-v1:0"),
        ("US.AMAZON.NOVA-LITE-V1:0", "us-east-1", "Write us.amazon.nova-lite-v1:0."),
        ("bedrock/us.amazon.nova-lite-v1:0", "us-east-1", "Write us.amazon.nova-lite-v1:0 alone"),
        ("abcdef123456", "us-east-1", None),
    ],
)
def test_an_id_that_bedrock_would_not_know_is_told_its_cure(model_id: str, region: str, words: str | None) -> None:
    about = [
        warning for warning in said(f'{{id: "{model_id}", label: m}}', f"region: {region}") if "max_tokens is" not in warning
    ]
    assert len(about) == (0 if words is None else 1)
    assert all(words in warning for warning in about if words)
    assert not [
        warning for warning in said(f'{{id: "{model_id}"}}', f"region: {region}\nsimulator: {{}}") if "is no id" in warning
    ]


def test_no_shipped_id_looks_wrong_and_none_of_the_price_list_does() -> None:
    listed = [model.id for provider in providers if provider.id == "aws" for model in provider.models]
    ids = [each for one in shipped() for each in one.models]
    assert len(ids) > 90 and len(listed) > 90
    assert [found for each in [*ids, *listed] for found in about_id(each, None)] == []


def test_the_prefix_that_is_told_is_the_region_s() -> None:
    [warning] = [each for each in said("{id: anthropic.claude-opus-4-7}", "region: eu-central-1") if "cross-Region" in each]
    assert "eu.anthropic.claude-opus-4-7, global." in warning
