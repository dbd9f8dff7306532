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
