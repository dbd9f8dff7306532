"""Lists of models, as OpenAI's and Anthropic's APIs give them."""

from __future__ import annotations

import pytest

from fmbench.simulator.model_lists import listed

NAMES = ["us.openai.gpt-6-sol", "us.anthropic.claude-opus-5-5"]


@pytest.mark.parametrize("path", ["/v1/models", "/openai/v1/models"])
def test_openai_s_list_has_every_model(path: str) -> None:
    status, body = listed(path, NAMES) or (0, {})
    assert (status, body["object"], [row["id"] for row in body["data"]]) == (200, "list", sorted(NAMES))
    assert listed(f"{path}/us.openai.gpt-6-sol", NAMES) == (200, body["data"][1])
    status, body = listed(f"{path}/nobody", NAMES) or (0, {})
    assert (status, body["error"]["code"]) == (404, "model_not_found")


def test_anthropic_s_list_has_its_own() -> None:
    status, body = listed("/anthropic/v1/models", NAMES) or (0, {})
    assert (status, [row["id"] for row in body["data"]], body["has_more"]) == (200, [NAMES[1]], False)
    assert listed("/anthropic/v1/models/us.anthropic.claude-opus-5-5", NAMES) == (200, body["data"][0])
    assert (listed("/anthropic/v1/models/us.openai.gpt-6-sol", NAMES) or (0, {}))[0] == 404


def test_there_is_always_something_to_choose_and_other_paths_are_no_lists() -> None:
    assert len((listed("/v1/models", []) or (0, {}))[1]["data"]) >= 3
    assert (listed("/v1/models/openai.gpt-oss-120b", []) or (0, {}))[0] == 200
    assert listed("/v1/modelsx", NAMES) is None and listed("/v1/chat/completions", NAMES) is None
