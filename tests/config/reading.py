"""Texts of configurations, read or refused."""

from __future__ import annotations

import pytest

from fmbench.config.load import parse_config
from fmbench.config.schema import Config
from fmbench.core.failures import ExitCode, UnusableInput
from fmbench.prompts.sources import CHECKS

MODELS = "models: [{id: some.model-v1:0}]\n"


def parse(text: str, *overrides: str) -> Config:
    """The configuration that ``text`` is."""
    return parse_config(text, "cfg.yml", list(overrides), checks=CHECKS).config


def refusal(text: str, *overrides: str) -> str:
    """The message that ``text`` is refused with."""
    with pytest.raises(UnusableInput) as caught:
        parse_config(text, "cfg.yml", list(overrides), checks=CHECKS)
    assert caught.value.exit_code == ExitCode.UNUSABLE
    return str(caught.value)
