"""What a price is for: a model, the region that the request is sent to, and the scope of the id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from fmbench.core.model_facts import geo_of

Scope = Literal["on-demand", "geo", "global"]

_TOKEN_PRICED_ARN = re.compile(r"arn:(?P<partition>[^:]*):bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(?P<id>.+)")


@dataclass(frozen=True, slots=True)
class Route:
    """One way to a model. ``region`` None: not known, as with a simulated model."""

    model_id: str
    region: str | None = None

    @property
    def by_the_token(self) -> bool:
        """Whether tokens are what is billed: provisioned, custom and imported models are billed by the hour, and the id of an
        application profile does not say which model it stands for."""
        return not self.model_id.startswith("arn:") or _TOKEN_PRICED_ARN.fullmatch(self.model_id) is not None

    @property
    def profile_id(self) -> str:
        """The id without the rest of an ARN: ``us.amazon.nova-lite-v1:0``."""
        match = _TOKEN_PRICED_ARN.fullmatch(self.model_id)
        return self.model_id if match is None else match["id"]

    @property
    def geography(self) -> str | None:
        """``us`` of ``us.amazon.nova-lite-v1:0``; ``global``; None for a model's own id."""
        return geo_of(self.profile_id).rstrip(".") or None

    @property
    def scope(self) -> Scope:
        """Which of a model's prices: in one region, over a geography's regions, or over all."""
        geography = self.geography
        if geography is None:
            return "on-demand"
        return "global" if geography == "global" else "geo"

    @property
    def base_id(self) -> str:
        """The model's own id, without the profile's prefix."""
        return self.profile_id if self.geography is None else self.profile_id.partition(".")[2]

    @property
    def provider(self) -> str:
        """``anthropic``, ``amazon``, …"""
        return self.base_id.partition(".")[0]

    @property
    def commercial(self) -> bool:
        """Whether it is in AWS's commercial partition, as far as region and id tell."""
        elsewhere = ("us-gov-", "cn-", "us-iso", "eu-isoe", "eusc-")
        return self.geography != "us-gov" and not (self.region or "").startswith(elsewhere)
