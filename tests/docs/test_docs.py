"""What the documentation says can be followed: links lead somewhere, commands exist, configurations load, policies are valid."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from genai_prices import Usage, calc_price

from fmbench.config.schema import Config
from fmbench.core.figures.latencies import LATENCIES
from fmbench.core.figures.percentiles import Percentile
from fmbench.core.figures.registry import OBJECTIVES, of_objective
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


def table_of(page: str, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head."""
    text = (ROOT / "docs" / page).read_text().split(f"## {heading}\n")[1]
    lines = re.search(r"(^\|.*\n)+", text, flags=re.MULTILINE)
    assert lines is not None
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[0].splitlines()[2:]]


def test_the_table_of_objectives_is_what_the_figures_say_of_themselves():
    percentiles = ", ".join(f"`{one.key}_pXX_s`" for one in sorted(LATENCIES, key=lambda one: one.rank))
    of_share = of_objective("ttft_p95_s").judged.partition(";")[0].replace("above 95 %", "above XX %")
    others = {name: figure for name, figure in OBJECTIVES.items() if not isinstance(figure, Percentile)}
    assert table_of("metrics.md", "Objectives") == [
        [percentiles, of_share],
        *([f"`{name}`", figure.judged] for name, figure in others.items()),
    ], "write it again in docs/metrics.md"


def test_every_latency_and_every_figure_of_a_cell_is_on_the_page_of_metrics():
    assert {one.column for one in LATENCIES} <= defined("Of one request")
    keys = {figure.key for figure in OBJECTIVES.values() if not isinstance(figure, Percentile)}
    page = (ROOT / "docs/metrics.md").read_text().split("## Of a cell\n")[1].split("\n## ")[0]
    assert {key for key in keys if not re.search(rf"(`|^    ){key}\b", page, flags=re.MULTILINE)} == set()


def test_the_page_of_the_configuration_has_every_objective():
    named = {name for row in table_of("configuration.md", "`objectives`") for name in re.findall(r"`(\w+)`", row[0])}
    assert {name for name, figure in OBJECTIVES.items() if not isinstance(figure, Percentile)} <= named
    assert {f"{one.key}_p{percent}_s" for one in LATENCIES for percent in (50, 90, 95, 99)} <= named


def defined(heading: str) -> set[str]:
    """The names in the first column of the table below a heading."""
    return {name for row in table_of("metrics.md", heading) for name in re.findall(r"`(\w+)`", row[0])}
