"""The pages name every key, option, column and status that there is, with the defaults that hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from fmbench.config.schema import Config
from fmbench.core.failures import ExitCode
from fmbench.core.records import COLUMNS
from fmbench.run.prepare import first_manifest
from tests.cli.test_command_line import call

DOCS = Path(__file__).resolve().parents[2] / "docs"


def keys_of(model: type[BaseModel], name: str) -> list[tuple[str, str, Any]]:
    """(section, key, default) of a section and those below it that have a heading of their own."""
    return [(name, key, field.default) for key, field in model.model_fields.items()]


def section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := section(part))), None)


SECTIONS = {key: model for key, field in Config.model_fields.items() if (model := section(field.annotation))}
KEYS = [row for name, model in SECTIONS.items() for row in keys_of(model, name)]


@pytest.mark.parametrize(("name", "key", "default"), KEYS, ids=[f"{name}.{key}" for name, key, _ in KEYS])
def test_every_key_of_a_section_is_explained(name: str, key: str, default: Any):
    page = (DOCS / "configuration.md").read_text()
    text = page.split(f"\n## `{name}`\n")[1].split("\n## ")[0]
    assert f"`{key}`" in text
    if isinstance(default, (int, float, str)) and default is not PydanticUndefined and name != "simulator":
        row = next(line for line in text.splitlines() if line.startswith("|") and f"`{key}`" in line.split("|")[1])
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        assert f"`{shown}`" in row.split("|")[2]


def test_every_key_of_the_top_is_explained():
    top = (DOCS / "configuration.md").read_text().split("## Top\n")[1].split("\n## ")[0]
    for key in Config.model_fields.keys() - SECTIONS.keys() | {"models"}:
        assert f"`{key}`" in top


def test_every_column_is_explained():
    page = (DOCS / "records.md").read_text().split("## Record columns")[1]
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([a-z_0-9]+)`", row)} == set(COLUMNS)


def test_every_key_of_the_manifest_is_explained():
    page = (DOCS / "records.md").read_text().split("## `manifest.json`")[1].split("\n## ")[0]
    source = Path(str(first_manifest.__code__.co_filename)).read_text().split("def first_manifest")[1].split("@contextmanager")[0]
    for key in re.findall(r'^        "([a-z_0-9]+)":', source, flags=re.MULTILINE):
        assert key == "process" or f"`{key}`" in page


def test_every_option_is_explained():
    page = (DOCS / "cli.md").read_text()
    for command in ([], ["report"], ["compare"], ["simulate"]):
        for option in re.findall(r"(?<!\S)(--[a-z-]+)", call(*command, "--help").stdout):
            assert option in ("--help", "--version") or f"`{option}" in page, option


def test_every_exit_status_is_explained():
    table = (DOCS / "cli.md").read_text().split("## Exit status")[1]
    assert {
        int(number) for row in re.findall(r"^\| ([\d, ]+) \|", table, flags=re.MULTILINE) for number in row.split(",")
    } == set(ExitCode)
