"""Foreign bytes of any kind do no more than fail: one word of the closed list, or one message. ``make fuzz`` asks for more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutation import Mutator
from tests.fuzz.parsers import Target, all_targets

CORPUS = Path(__file__).with_name("corpus")
"""What was found, and mended: ``<target>/<name>``, the bytes as they were."""
EXAMPLES = 40


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Target]:
    return all_targets(tmp_path_factory.mktemp("fuzz"))


NAMES = sorted(all_targets(Path("/nonexistent")))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(min_value=0))
def test_malformed_input_of_every_parser(targets: dict[str, Target], name: str, seed: int) -> None:
    mutator = Mutator(seed)
    targets[name].read(mutator.pieces(targets[name].make(mutator)))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.binary(max_size=400), seed=st.integers(min_value=0))
def test_any_bytes_at_all(targets: dict[str, Target], name: str, data: bytes, seed: int) -> None:
    targets[name].read(Mutator(seed).pieces(data))


def test_messages_of_strangers_to_a_master() -> None:
    """In a process of its own: Locust changes the one that it is imported in."""
    code = f"import locust; from tests.fuzz.parsers import read_as_master; read_as_master({str(CORPUS)!r}, 1000)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False
    )
    assert done.returncode == 0, done.stderr


OF_PARSERS = [path for path in sorted(CORPUS.glob("*/*")) if path.parent.name != "master"]


@pytest.mark.parametrize("path", OF_PARSERS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_found_is_mended(targets: dict[str, Target], path: Path) -> None:
    data = path.read_bytes()
    for pieces in ([data], [data[at : at + 1] for at in range(len(data))], *([data[:at], data[at:]] for at in (1, 3, 7))):
        targets[path.parent.name].read(pieces)
