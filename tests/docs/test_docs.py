"""What the documentation says can be followed: links lead somewhere, commands exist, configurations load, policies are valid."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from genai_prices import Usage, calc_price

from fmbench.config.schema import Config
from fmbench.run.models_page import page

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def names(paths: list[Path]) -> list[str]:
    """Paths as test ids."""
    return [str(path.relative_to(ROOT)) for path in paths]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_a_relative_link_leads_to_a_file(page: Path):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    local = [link.split("#")[0] for link in links if "://" not in link and not link.startswith("#")]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_a_make_command_on_a_page_is_a_target(page: Path):
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    asked = {match for block in blocks(page, "sh") for match in re.findall(r"^make ([a-z0-9-]+)", block, flags=re.MULTILINE)}
    assert asked <= targets


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_a_whole_configuration_on_a_page_loads(page: Path):
    texts = [text for text in blocks(page, "yaml") if re.search(r"^models:", text, flags=re.MULTILINE)]
    for text in texts:
        Config.model_validate(yaml.safe_load(text))


def test_the_policy_of_the_aws_page_allows_streams_and_whole_answers():
    (policy,) = (json.loads(text) for text in blocks(ROOT / "docs/running-on-aws.md", "json"))
    actions = {
        action
        for statement in policy["Statement"]
        for action in [statement["Action"]]
        for action in (action if isinstance(action, list) else [action])
    }
    assert {
        "bedrock:InvokeModel",
        "bedrock:InvokeModelWithResponseStream",
        "s3:PutObject",
        "s3:GetObject",
        "s3:ListBucket",
    } <= actions
    assert not any("*" in action for action in actions)


def test_the_page_of_models_is_what_the_program_writes_and_marks_those_without_a_price():
    text = (ROOT / "docs/models.md").read_text()
    assert text == page(), "write it again: fmbench-load models --markdown > docs/models.md"
    shipped = {model["id"] for path in ROOT.glob("configs/*.yml") for model in yaml.safe_load(path.read_text())["models"]}
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", text, flags=re.MULTILINE)
    assert {model for model, _ in rows} == shipped
    assert {model for model, usd in rows if usd == "?"} == {model for model in shipped if not has_price(model)}


def has_price(model: str) -> bool:
    """Whether genai-prices knows the model."""
    try:
        calc_price(Usage(input_tokens=1, output_tokens=1), model_ref=model, provider_id="aws")
    except LookupError:
        return False
    return True


def test_the_changelog_and_the_package_agree_on_what_is_released():
    import fmbench

    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert released == [] or released[0] == fmbench.__version__
