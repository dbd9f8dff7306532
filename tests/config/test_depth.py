"""A configuration that is nested without end is one message."""

from __future__ import annotations

import pytest

from fmbench.config.load import parse_config
from fmbench.core.failures import UnusableInput


@pytest.mark.parametrize("depth", [100, 330])
def test_nested_hundreds_deep(depth: int) -> None:
    text = "models: " + "[" * depth + "]" * depth
    with pytest.raises(UnusableInput, match="nested"):
        parse_config(text.encode(), "cfg.yml")


@pytest.mark.parametrize("depth", [100, 330, 20_000])
@pytest.mark.parametrize("override", ["name{steps}=1", "name.{steps}=1", "models={value}", "dataset.columns={value}"])
def test_overrides_nested_hundreds_deep(depth: int, override: str) -> None:
    text = override.format(steps='{"a":' * depth, value="[" * depth + "]" * depth)
    with pytest.raises(UnusableInput, match="nested") as refused:
        parse_config(b"models: [{id: amazon.nova-lite-v1:0}]", "cfg.yml", [text])
    assert len(str(refused.value)) < 1000
