"""``tests/unit`` mirrors the core: each of its files is named for the module or the folder of the core that it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OF_THE_WHOLE_TREE = {"floors", "imports"}
"""Two quick checks of every module, kept beside the unit tests so that both are run before every merge."""
TESTS = sorted(path.stem.removeprefix("test_") for path in (ROOT / "tests/unit").rglob("test_*.py"))


@pytest.mark.parametrize("name", [name for name in TESTS if name not in OF_THE_WHOLE_TREE])
def test_a_unit_test_is_named_for_a_part_of_the_core(name: str) -> None:
    """``test_quota_search`` holds ``core/quota/search.py``; what follows the part's name says which side of it."""
    parts = [path.relative_to(ROOT / "fmbench/core").with_suffix("") for path in (ROOT / "fmbench/core").rglob("*")]
    names = {"_".join(part.parts) for part in parts if part.name not in ("__init__", "__pycache__")}
    assert any(name == part or name.startswith(f"{part}_") for part in names)


def test_no_other_folder_holds_tests_of_the_core_alone() -> None:
    assert len(TESTS) >= 25
    assert not (ROOT / "tests/core").exists()
