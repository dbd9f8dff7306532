"""The region of a run: the configuration's, else that of AWS's own variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from fmbench.run.options import Options


@pytest.mark.parametrize(
    ("configured", "variables", "region"),
    [
        ("", {"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ("", {"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
        ("", {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
        ("region: us-west-2\n", {"AWS_REGION": "eu-west-1"}, "us-west-2"),
        ("", {}, None),
    ],
)
def test_the_region_is_the_configured_one_else_the_environments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configured: str, variables: dict[str, str], region: str | None
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    config = tmp_path / "cfg.yml"
    config.write_text(f"{configured}models: [{{id: a.model-v1:0}}]\n")
    assert Options(config=str(config)).load().config.region == region
