"""A source, a store or a command more is a file more: on a copy of the tree, and by what each file has to declare."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fmbench.commands import find, listed, names
from fmbench.config.addresses import SCHEMES
from fmbench.config.objectives import Objectives
from fmbench.config.other_names import OTHER_NAMES, SHORT_FORMS
from fmbench.config.schema import Dataset
from fmbench.core.registry import entry, names_in
from fmbench.prompts.sources import source_of

ROOT = Path(__file__).resolve().parents[2]


def test_every_source_declares_itself_and_the_schema_has_just_these():
    sources = names_in("prompts/sources")
    assert {source_of(name).load.__module__.rpartition(".")[2] for name in sources} == set(sources)
    assert Dataset.model_json_schema()["properties"]["source"]["enum"] == list(sources)


def test_every_store_opens_addresses():
    assert SCHEMES == ("s3",)
    assert all(callable(entry("storage/stores", name).open_store) for name in names_in("storage/stores"))


def test_every_command_is_named_as_its_file():
    assert tuple(find(name).name for name in names()) == names()


def test_nobody_but_storage_spells_a_scheme():
    spelt = re.compile("|".join(rf"{scheme}://" for scheme in SCHEMES))
    modules = [path for path in (ROOT / "fmbench").rglob("*.py") if "storage" not in path.relative_to(ROOT).parts]
    assert len(modules) > 100
    assert [path.name for path in modules if spelt.search(path.read_text())] == []


def test_the_pages_list_every_command_as_it_declares_itself():
    page = (ROOT / "docs/cli.md").read_text()
    for _, commands in listed():
        for command in commands:
            usage = command.usage.replace("|", "\\|")
            assert f"| `{command.name} {usage}` | {command.help} |" in page


def test_another_name_leads_to_a_key_that_there_is():
    text = "".join(
        path.read_text() for path in (ROOT / "fmbench").glob("**/*.py") if path.name in ("schema.py", "model.py", "behaviour.py")
    )
    keys = set(re.findall(r"^    (\w+): ", text, flags=re.MULTILINE)) | Objectives.model_fields.keys()
    assert {*OTHER_NAMES, *SHORT_FORMS.values()} - keys == set()


SOURCE = """
from fmbench.prompts.reading.rows import Loaded, Row, Source

def load(dataset, tools):
    row = Row("made", "en", "What is it? " * 30, "", ["it"], None, "1", "nowhere")
    return Loaded([row], {"name": "made", "revision": None, "sha256": None, "rows": 1})

SOURCE = Source(load=load, needs=("repo",))
"""
STORE = """
from fmbench.storage.stores.local import LocalStore

def open_store(address, region):
    return LocalStore("kept/" + address.partition("://")[2])
"""
COMMAND = """
from fmbench.command import Command, Group

def run(parsed):
    print("hello", parsed.whom)
    return 0

COMMAND = Command(name="greet", help="Greets", usage="WHOM", group=Group.BEGIN, add=lambda p: p.add_argument("whom"), run=run)
"""
CONFIG = """
models: [{id: amazon.nova-lite-v1:0}]
output: kept://here
dataset: {source: made, repo: any, buckets: ["1-500"]}
simulator: {}
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with a source, a store and a command more."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "fmbench", folder / "fmbench", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "fmbench/prompts/sources/made.py").write_text(SOURCE)
    (folder / "fmbench/storage/stores/kept.py").write_text(STORE)
    (folder / "fmbench/commands/greet.py").write_text(COMMAND)
    (folder / "cfg.yml").write_text(CONFIG)
    return folder


def ask(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fmbench", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_command_is_one_file(copy: Path):
    assert ask(copy, "greet", "you").stdout == "hello you\n"
    assert re.search(r"^  greet +Greets$", ask(copy, "help").stdout, flags=re.MULTILINE)


def test_a_source_and_a_store_are_one_file_each(copy: Path):
    done = ask(copy, "prepare", "cfg.yml")
    assert done.returncode == 0, done.stderr
    run = done.stdout.strip()
    assert run.startswith("kept/here/") or run.startswith("kept://here/"), run
    refused = ask(copy, "prepare", "cfg.yml", "--set", "dataset={source: made}")
    assert "dataset.repo: is missing: source made needs it; add dataset.repo" in refused.stderr
    assert "kept://bucket/prefix" in ask(copy, "prepare", "cfg.yml", "--output", "gs://x").stderr


def test_the_copy_is_what_runs(copy: Path):
    code = "import fmbench, pathlib; print(pathlib.Path(fmbench.__file__).resolve().parents[1])"
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(copy.resolve())
