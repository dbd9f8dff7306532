"""What the checks look at: a configuration, and the account in each of its regions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fmbench.bedrock.account import Account, Unanswered, Why
from fmbench.config.schema import Config, Model
from fmbench.core.preflight import Found, Verdict
from fmbench.core.prices.price import Price
from fmbench.core.prices.route import Route
from fmbench.core.quota.tokens import Quota

CURES = {
    Why.CREDENTIALS: "Sign in again (aws sso login), or check AWS_PROFILE and the keys.",
    Why.CLOCK: "Set this machine's clock: AWS refuses signatures that are five minutes off.",
    Why.CERTIFICATE: "Name the CA of your proxy in AWS_CA_BUNDLE.",
    Why.PROXY: "Check HTTPS_PROXY, or name the host in NO_PROXY.",
}


@dataclass(slots=True)
class Subject:
    """The configuration in question. ``prices`` by model's name; ``account`` of a region."""

    config: Config
    prices: Mapping[str, Price | None]
    account_of: Callable[[str], Account] = field(default=lambda region: Account(region))
    has_account: bool = True
    """Whether requests go to AWS; else nobody there is asked."""
    quotas: dict[str, Quota | None] = field(default_factory=dict)
    """What was found of each model's quotas, by its name."""
    _accounts: dict[str, Account] = field(default_factory=dict)

    def region(self, model: Model) -> str:
        """Where requests to a model are sent."""
        return model.region or self.config.region or ""

    def route(self, model: Model) -> Route:
        """The way to a model."""
        return Route(model.id, self.region(model))

    def account(self, region: str) -> Account:
        """The account as it is in a region."""
        if region not in self._accounts:
            self._accounts[region] = self.account_of(region)
        return self._accounts[region]


def not_told(check: str, about: str, error: Unanswered, permission: str) -> Found:
    """A question without an answer: what keeps every call from AWS is a failure, the rest is not known."""
    if error.why in CURES:
        return Found(check=check, about=about, verdict=Verdict.FAILED, what=error.message, cure=CURES[error.why])
    cure = f"Allow {permission} to have it checked." if error.why is Why.NOT_ALLOWED else "The run does not need it."
    return Found(check=check, about=about, verdict=Verdict.UNKNOWN, what=error.message, cure=cure)
