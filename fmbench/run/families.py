"""What an ARN does not say of a model, asked of the account before the run: which body InvokeModel takes for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from fmbench.config.load import LoadedConfig
from fmbench.config.schema import Config, Model
from fmbench.core.model_facts import bare_id
from fmbench.run.checks import target_name

if TYPE_CHECKING:
    from fmbench.bedrock.account import Account

AccountOf = Callable[[str], "Account"]


def with_families(loaded: LoadedConfig, account_of: AccountOf | None = None) -> LoadedConfig:
    """The configuration with the family of each ARN that GetInferenceProfile tells. What is not told stays as it is, and is then
    refused with the family to write. Nothing is asked but AWS itself."""
    config = loaded.config
    if not any(map(_is_open, config.models)) or target_name(config) != "aws":
        return loaded
    models = [_told(config, model, account_of or _account_of) if _is_open(model) else model for model in config.models]
    return replace(loaded, config=config.model_copy(update={"models": models}))


def _is_open(model: Model) -> bool:
    """Whether a request cannot be made without knowing more than the id and the named family say."""
    from fmbench.bedrock.families import family_named

    if not model.api.startswith("invoke") or not model.id.startswith("arn:") or bare_id(model.id) is not None:
        return False
    return model.family is None or bool(family_named(model.family).markups)


def _told(config: Config, model: Model, account_of: AccountOf) -> Model:
    from fmbench.bedrock.account import Unanswered
    from fmbench.bedrock.families import exact_family

    try:
        base = account_of(model.region or config.region or "").model_behind(model.id)
    except Unanswered:
        return model
    family = None if base is None else exact_family(base)
    return model if family is None else model.model_copy(update={"family": family})


def _account_of(region: str) -> Account:
    from fmbench.bedrock.account import Account

    return Account(region)
