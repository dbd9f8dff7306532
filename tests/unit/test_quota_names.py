"""Which requests take of one quota, by Bedrock's rules."""

from __future__ import annotations

import pytest

from fmbench.core.prices.route import Route
from fmbench.core.quota.names import whose

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
