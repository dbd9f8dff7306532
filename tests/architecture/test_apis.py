"""APIs and body families are folders: what lies in them is what a configuration may name, what is called, what is served."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fmbench
from fmbench.bedrock.apis import Api, api_of
from fmbench.bedrock.families import family_named, family_of
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
    if family.mark is None:  # it says how another family's prompts are marked up, whose answers it has
        owner = next(each for each in map(family_named, names_in("bedrock/families")) if name in each.markups)
        assert owner.name in names_in("simulator/families")
        return
    for mark in (family.mark, *family.more_marks):
        assert family_of(f"us.{mark}something-v1:0", None) is family
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


API = """
from fmbench.bedrock.apis._posted import WholeAnswer, post
from fmbench.bedrock.apis.base import Api
from fmbench.bedrock.families.base import Piece


class Answer(WholeAnswer):
    def piece(self, body):
        return Piece(text=body["said"], stop_reason=body["why"], input_tokens=body["read"], output_tokens=body["wrote"])


def serialise(serialiser, model, asking):
    return post(serialiser, model, "/whisper", {"model": model.id, "asked": asking.text}, asking.inference)


API = Api(serialise=serialise, answer=lambda _model: Answer)
"""
SIMULATED_API = """
from fmbench.simulator.apis import _sse
from fmbench.simulator.apis.base import Api
from fmbench.simulator.asks import Ask


def read(_request, _model_id, body):
    return Ask(texts=[body["asked"]], max_tokens=5)


def write(generation, _body):
    said = {"said": generation.text, "why": "done", "read": generation.prompt_tokens, "wrote": generation.output_tokens}
    return _sse.whole(generation, said)


API = Api(operation="whisper", paths=("/whisper",), read=read, write=write)
"""
FAMILY = """
from fmbench.bedrock.families.base import Family, Piece


def piece(body):
    return Piece(text=body["hummed"], stop_reason=body["why"], input_tokens=body["read"], output_tokens=body["wrote"])


FAMILY = Family("hum", "hummer", lambda _id, prompt, asked: {"hum": prompt, "most": asked.max_tokens}, piece, piece)
"""
SIMULATED_FAMILY = """
from fmbench.simulator import frames
from fmbench.simulator.asks import Ask


class Hum:
    member, mark = "hum", "hummer"

    def read(self, body):
        return Ask(texts=[body["hum"]], max_tokens=body["most"])

    def whole(self, made):
        return {"hummed": made.text, "why": "done", "read": made.prompt_tokens, "wrote": made.output_tokens}

    def opening(self, made):
        return []

    def events(self, made):
        return [frames.body_part(dict(hummed=piece, why=None, read=None, wrote=None)) for piece in made.all_pieces]

    def closing(self, made):
        return [self.whole(made) | {"hummed": ""}]


FAMILY = Hum()
"""
ASK = """
import json
import fmbench
from tests.bedrock.asking import Ask, here
from tests.support.simulator import running

ASKED = [
    {"id": "anything", "api": "whisper"},
    *({"id": "us.hummer-v1:0", "api": api} for api in ("invoke", "invoke-stream")),
    {"id": "anything", "api": "invoke", "family": "hum"},
]
told = []
with running({"profile": {"ttft_s": 0, "tpot_s": 0, "output_tokens": 5}}) as simulator:
    for model in ASKED:
        (got,) = here(Ask(simulator.url, simulator.ca_bundle, model=model, inference={"max_tokens": 5}, region="us-east-1"))
        row = simulator.settled(len(told) + 1)[-1]
        counted = [row["input_tokens"], row["output_tokens"]] == [got.usage.input_tokens, got.usage.output_tokens]
        told.append([row["operation"], got.failure, got.stop_reason, counted])
print(json.dumps([fmbench.__file__, told]))
"""


def test_a_new_api_and_a_new_family_are_one_file_each_and_one_of_the_simulator(tmp_path: Path) -> None:
    """On a copy of the package: four files are written, nothing else is touched, and the simulator's answers are read."""
    for name in ("fmbench", "tests"):
        shutil.copytree(PACKAGE.parent / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    made = {
        "bedrock/apis/whisper.py": API,
        "simulator/apis/whisper.py": SIMULATED_API,
        "bedrock/families/hum.py": FAMILY,
        "simulator/families/hum.py": SIMULATED_FAMILY,
    }
    for file, text in made.items():
        (tmp_path / "fmbench" / file).write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    package, told = json.loads(done.stdout)
    assert Path(package).resolve().is_relative_to(tmp_path.resolve())
    read = [None, "done", True]
    assert told == [["whisper", *read], ["invoke", *read], ["invoke-with-response-stream", *read], ["invoke", *read]]


def test_models_are_asked_by_converse_stream_unless_they_say_otherwise() -> None:
    assert Model(id="a").api == "converse-stream"
