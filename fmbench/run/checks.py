"""What has to hold before the first request: a target that can be called, prices where a budget needs them, a yes."""

from __future__ import annotations

import os
import sys

from fmbench.config.schema import Config
from fmbench.core.cost import PriceBook
from fmbench.core.failures import Refused
from fmbench.core.plan import Estimate
from fmbench.run.plan_table import duration_text, usd_text
from fmbench.run.say import say


def configured_endpoint(config: Config) -> str | None:
    """The endpoint that AWS's own variables name instead of AWS; None: AWS itself, or the simulator."""
    if config.simulator is not None or os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    return os.environ.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME") or os.environ.get("AWS_ENDPOINT_URL")


def target_name(config: Config) -> str:
    """Where requests go, for people and the manifest: ``simulator``, an address, or ``aws``."""
    return "simulator" if config.simulator is not None else configured_endpoint(config) or "aws"


def check_budget(config: Config, book: PriceBook) -> None:
    """A budget in USD holds only where every price is known. Raises ``Refused`` for the models without one."""
    if config.budget.max_usd is None:
        return
    unknown = [model.id for model in config.models if book.price_of(model.id, model.name) is None]
    if unknown:
        cure = f'add pricing: {{"{unknown[0]}": {{input: …, output: …}}}} (USD for a million tokens), or drop budget.max_usd'
        raise Refused(f"budget.max_usd = {config.budget.max_usd:g}: the price of {', '.join(unknown)} is not known; {cure}.")


def check_target(config: Config) -> None:
    """Raises ``Refused`` when the target cannot be called: no region, no credentials. Loads boto3 unless there is a simulator."""
    if config.simulator is not None:
        return
    from fmbench.bedrock.caller import check_credentials

    for region in {model.region or config.region for model in config.models}:
        check_credentials(region)


def ask_before_spending(config: Config, estimate: Estimate, yes: bool) -> None:
    """Ask once, where someone is there to answer and the bill is real. Raises ``Refused`` for a no."""
    if yes or target_name(config) != "aws" or not sys.stdin.isatty():
        return
    cost = "an unknown cost" if estimate.usd is None else f"about {usd_text(estimate.usd)} USD"
    if estimate.unpriced and estimate.usd is not None:
        cost += f" and the unknown cost of {', '.join(estimate.unpriced)}"
    say(f"This sends about {estimate.requests:,} requests to Amazon Bedrock: {cost}, {duration_text(estimate.seconds)}.")
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("not started: nothing was sent. --yes answers this question beforehand.")
