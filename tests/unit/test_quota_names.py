"""Which requests take of one quota, by Bedrock's rules."""

from __future__ import annotations

import pytest

from fmbench.core.prices.route import Route
from fmbench.core.quota.names import quota_of, whose

NOVA = "amazon.nova-lite-v1:0"
ARN = f"arn:aws:bedrock:us-east-1::foundation-model/{NOVA}"
US = whose(Route(f"us.{NOVA}", "us-east-1"))


@pytest.mark.parametrize("tier", ["default", "priority", "flex"])
def test_tiers_share_a_quota(tier: str) -> None:
    assert whose(Route(f"us.{NOVA}", "us-east-1"), tier) == US


def test_an_id_and_its_arn_share_a_quota() -> None:
    assert whose(Route(NOVA, "us-east-1")) == whose(Route(ARN, "us-east-1"))


@pytest.mark.parametrize(
    "other",
    [
        whose(Route(NOVA, "us-east-1")),
        whose(Route(f"global.{NOVA}", "us-east-1")),
        whose(Route(f"us.{NOVA}", "us-west-2")),
        whose(Route("us.amazon.nova-pro-v1:0", "us-east-1")),
        whose(Route(f"us.{NOVA}", "us-east-1"), "reserved"),
        whose(Route(f"us.{NOVA}", "us-east-1"), endpoint="mantle"),
        whose(Route("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdefgh", "us-east-1")),
    ],
)
def test_scopes_regions_models_and_services_have_their_own(other: tuple[str, ...]) -> None:
    assert other != US


AS_THEY_ARE_CALLED = {
    "openai.gpt-oss-120b-1:0": "OpenAI GPT OSS 120B",
    "minimax.minimax-m2.5": "MiniMax M2.5",
    "zai.glm-4.7-flash": "Z.ai GLM-4.7 Flash",
    "mistral.mistral-large-3-675b-instruct": "Mistral Large 3",
    "mistral.magistral-small-2509": "Magistral Small 1.2",
    "mistral.mistral-large-2402-v1:0": "Mistral AI Mistral Large",
    "mistral.mistral-7b-instruct-v0:2": "Mistral 7B Instruct",
    "nvidia.nemotron-nano-9b-v2": "NVIDIA Nemotron Nano 2",
    "nvidia.nemotron-nano-12b-v2": "NVIDIA Nemotron Nano 2 VL",
    "nvidia.nemotron-super-3-120b": "NVIDIA Nemotron 3 Super 120B A12B",
    "ai21.jamba-1-5-large-v1:0": "AI21 Labs Jamba 1.5 Large",
    "meta.llama4-maverick-17b-instruct-v1:0": "Meta Llama 4 Maverick V1",
    "mistral.pixtral-large-2502-v1:0": "Mistral Pixtral Large 25.02 V1",
    "anthropic.claude-3-5-sonnet-20240620-v1:0": "Anthropic Claude 3.5 Sonnet",
    "anthropic.claude-3-5-sonnet-20241022-v2:0": "Anthropic Claude 3.5 Sonnet V2",
    "anthropic.claude-opus-4-6-v1": "Anthropic Claude Opus 4.6 V1",
    "anthropic.claude-opus-5-5": "Anthropic Claude Opus 5.5",
    "openai.gpt-6.1-sol": "GPT-6.1 Sol",
    "xai.grok-4.7": "Grok 4.7",
}
"""Names in Service Quotas, as awslabs' bedrock-usage-analyzer 0.7.0b0 holds them (fm-list-*.yml)."""


@pytest.mark.parametrize("model_id", AS_THEY_ARE_CALLED)
def test_quotas_are_found_by_the_names_that_they_have_and_no_others(model_id: str) -> None:
    sizes = {name: float(at) for at, name in enumerate(AS_THEY_ARE_CALLED.values(), 1)}
    quotas = [(f"On-demand model inference tokens per minute for {name}", size) for name, size in sizes.items()]
    found = quota_of(Route(model_id, "us-east-1"), quotas)
    assert found is not None and found.tpm == sizes[AS_THEY_ARE_CALLED[model_id]]
