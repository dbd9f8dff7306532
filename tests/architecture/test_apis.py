"""APIs and body families are folders: what lies in them is what a configuration may name, what is called, what is served."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fmbench
from fmbench.bedrock.apis import Api, api_of
from fmbench.bedrock.families import family_of
from fmbench.bedrock.families.base import Family
from fmbench.config.load import parse_config
from fmbench.config.schema import Model
from fmbench.core.failures import UnusableInput
from fmbench.core.registry import entry, names_in
from fmbench.simulator.apis import every_api
from fmbench.simulator.families import every_family

PACKAGE = Path(fmbench.__file__).parent


def files_in(folder: str) -> set[str]:
    """The entries by their files alone."""
    stems = [path.stem for path in (PACKAGE / folder).glob("*.py")]
    return {stem.replace("_", "-") for stem in stems if stem != "base" and not stem.startswith("_")}


@pytest.mark.parametrize("folder", ["bedrock/apis", "bedrock/families", "simulator/apis", "simulator/families"])
def test_every_file_is_an_entry(folder: str) -> None:
    assert set(names_in(folder)) == files_in(folder) != set()


@pytest.mark.parametrize("name", names_in("bedrock/apis"))
def test_every_api_can_be_configured_asked_and_served(name: str) -> None:
    config = parse_config(f"models: [{{id: us.amazon.nova-lite-v1:0, api: {name}}}]", "cfg.yml").config
    assert isinstance(api_of(config.models[0]), Api)
    assert name.removesuffix("-whole") in names_in("simulator/apis")


@pytest.mark.parametrize("name", names_in("bedrock/families"))
def test_every_family_can_be_configured_asked_and_served(name: str) -> None:
    config = parse_config(f"models: [{{id: anything, api: invoke, family: {name}}}]", "cfg.yml").config
    family = family_of(config.models[0].id, config.models[0].family)
    assert isinstance(family, Family)
    assert family.name == name
    assert family_of(f"us.{family.mark}something-v1:0", None) is family
    assert name in names_in("simulator/families")


def test_what_the_endpoint_serves_is_told_apart() -> None:
    paths = [path for api in every_api() for path in api.paths] + [api.verb for api in every_api() if api.verb]
    assert len(set(paths)) == len(paths)
    members = [family.member for family in every_family() if family.member]
    assert len(set(members)) == len(members)


@pytest.mark.parametrize(("key", "folder"), [("api", "bedrock/apis"), ("family", "bedrock/families")])
def test_another_name_is_refused_with_those_that_there_are(key: str, folder: str) -> None:
    with pytest.raises(UnusableInput) as refused:
        parse_config(f"models: [{{id: a, {key}: telepathy}}]", "cfg.yml")
    assert all(name in str(refused.value) for name in names_in(folder))


def test_a_name_without_a_file_raises() -> None:
    with pytest.raises(KeyError, match=r"bedrock/apis has no telepathy"):
        entry("bedrock/apis", "telepathy")


def test_a_new_api_is_one_file_and_one_of_the_endpoint(tmp_path: Path) -> None:
    """On a copy of the package: the two files are written, nothing else is touched, and the API answers."""
    copy = tmp_path / "fmbench"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "report"))
    for folder in ("bedrock/apis", "simulator/apis"):
        source = (copy / folder / "converse_stream.py").read_text()
        changed = source.replace('operation="converse-stream"', 'operation="whisper"').replace(
            'verb="converse-stream"', 'paths=("/w",)'
        )
        (copy / folder / "whisper.py").write_text(changed)
    program = (
        "from fmbench.config.schema import Model; from fmbench.bedrock.apis import api_of\n"
        "from fmbench.simulator.apis import route\n"
        "api_of(Model(id='a', api='whisper')); print(route('POST', '/w')[0].operation)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("whisper", "")


def test_models_are_asked_by_converse_stream_unless_they_say_otherwise() -> None:
    assert Model(id="a").api == "converse-stream"
