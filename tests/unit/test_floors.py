"""The floors of docs/architecture.md hold: a module imports only from lower floors, and a foreign library has one home."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "fmbench"

HOMES = {
    "boto3": ("bedrock", "deploy", "storage"),
    "botocore": ("bedrock", "deploy", "storage"),
    "datasets": ("prompts",),
    "genai_prices": ("core/prices/sources/listed",),
    "gevent": ("load", "bedrock/wait_gevent"),
    "jinja2": ("report",),
    "locust": ("load",),
    "markdown_it": ("report",),
    "matplotlib": ("report",),
    "plotly": ("report",),
    "pyarrow": ("storage",),
    "pydantic": ("config", "simulator/behaviour"),
    "rs_bpe": ("prompts",),
    "scipy": ("core",),
    "uvloop": ("simulator",),
    "yaml": ("config",),
}
"""Where each foreign library may be imported: folders or modules of fmbench."""

NEIGHBOURS = {
    "__main__": ("cli",),
    "arguments": ("command",),
    "completion": ("command",),
    "bedrock": ("prompts/payload",),
    "deploy": ("run/options", "run/say", "run/signals"),
    "config": ("simulator/behaviour",),
    "prompts": ("storage/store",),
    "report": ("storage/atomic", "storage/reader", "storage/stamps"),
    "simulator/behaviour": ("config/base",),
}
"""What a folder may import from its own floor besides itself."""

CLOSED = {"load": ("report", "prompts/prepare", "prompts/sources")}
"""What a folder may not import although it is on a lower floor."""

IMPURE = {"asyncio", "http", "os", "shutil", "socket", "subprocess", "threading", "time", "urllib"}
"""Standard modules of clocks and I/O, which the pure core has no use for."""


def floors() -> dict[str, int]:
    """The first two columns of the table: a folder ('bedrock') or module ('core/records') and its floor."""
    table = (ROOT / "docs/architecture.md").read_text().split("## Floors")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d) \| ([^|]+) \|", table, flags=re.MULTILINE)
    return {name.removesuffix(".py").rstrip("/"): int(floor) for floor, cell in rows for name in re.findall(r"`([^`]+)`", cell)}


def place_of(module: str) -> str | None:
    """The entry of the table that 'core/records' (a module's path) belongs to; the longest one."""
    entries = [entry for entry in floors() if module == entry or module.startswith(f"{entry}/")]
    return max(entries, key=len, default=None)


def modules() -> list[tuple[str, str]]:
    """Each module of the package as its path ('core/records') and its source; the package's own __init__ left out."""
    found = [(str(path.relative_to(PACKAGE).with_suffix("")), path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))]
    return [(name.removesuffix("/__init__"), source) for name, source in found if name != "__init__"]


def running_code(source: str) -> Iterator[ast.AST]:
    """Every node of a module that can run: all but what stands under ``if TYPE_CHECKING``."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        yield node
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            waiting.extend(ast.iter_child_nodes(node))


def imports_of(module: str, source: str) -> Iterator[str]:
    """Dotted names that a module imports anywhere in it, relative ones resolved; from x import y gives x.y."""
    for node in running_code(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ["fmbench", *module.split("/")][: -node.level or None] if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, places: tuple[str, ...]) -> bool:
    """Whether a module or folder is one of ``places`` or inside one."""
    return any(name == place or name.startswith(f"{place}/") for place in places)


def floor_faults(module: str, source: str) -> Iterator[str]:
    """What a module imports of the project although its floor does not allow it."""
    here = place_of(module)
    if here is None:
        yield f"{module}.py stands on no floor of the table"
        return
    for name in imports_of(module, source):
        target = name.removeprefix("fmbench.").replace(".", "/")
        there = place_of(target) if name.startswith("fmbench.") else None
        if there is None or there == here:
            continue
        down = floors()[there] < floors()[here] or floors()[there] == 0
        allowed = down or within(target, NEIGHBOURS.get(here, ()))
        if not allowed or within(target, CLOSED.get(here, ())):
            yield f"{module}.py ({here}) imports {name} ({there})"


def home_faults(module: str, source: str) -> Iterator[str]:
    """What a module imports of foreign libraries, or of the impure standard ones, that has its home elsewhere."""
    for name in imports_of(module, source):
        library = name.split(".")[0]
        if library in HOMES and not within(module, HOMES[library]):
            yield f"{module}.py imports {library}, whose home is {' and '.join(HOMES[library])}"
        if module.startswith("core/") and library in IMPURE:
            yield f"{module}.py imports {library}: the core is pure"


def test_the_table_is_read():
    assert floors()["core/records"] == 0
    assert floors()["core"] == 1
    assert floors()["cli"] == 8


def test_a_module_imports_only_from_lower_floors():
    assert [fault for module, source in modules() for fault in floor_faults(module, source)] == []


def test_a_foreign_library_has_one_home():
    assert [fault for module, source in modules() for fault in home_faults(module, source)] == []


def test_the_lowest_floor_needs_only_the_standard_library():
    lowest = [entry for entry, floor in floors().items() if floor == 0]
    libraries = {name.split(".")[0] for module, source in modules() if module in lowest for name in imports_of(module, source)}
    assert libraries <= sys.stdlib_module_names | {"fmbench"}


@pytest.mark.parametrize(
    ("module", "source", "faults"),
    [
        ("core/stats", "from fmbench.config.schema import Config", 1),
        ("core/stats", "from fmbench.core import records", 0),
        ("core/records", "from fmbench.core.stats import quantile", 1),
        ("bedrock/caller", "def call():\n    from fmbench.storage import journal", 1),
        ("core/plan", "if TYPE_CHECKING:\n    from fmbench.config.schema import Config", 0),
        ("bedrock/caller", "from . import events", 0),
        ("bedrock/apis/converse", "from ...storage import journal", 1),
        ("report/page", "from fmbench.storage.reader import open_run", 0),
        ("report/page", "from fmbench.storage.stores.s3 import S3", 1),
        ("load/users", "from fmbench.prompts.payload import load", 0),
        ("load/users", "from fmbench.prompts import prepare", 1),
        ("stray", "", 1),
    ],
)
def test_the_check_itself_sees_what_it_should(module: str, source: str, faults: int):
    assert len(list(floor_faults(module, source))) == faults


@pytest.mark.parametrize(
    ("module", "source", "faults"),
    [
        ("core/prices/sources/listed", "import genai_prices", 0),
        ("core/summary", "from genai_prices import Usage", 1),
        ("run", "import matplotlib.pyplot as plt", 1),
        ("core/plan", "import time", 1),
        ("load/users", "import time, gevent", 0),
    ],
)
def test_the_check_sees_a_library_away_from_home(module: str, source: str, faults: int):
    assert len(list(home_faults(module, source))) == faults
