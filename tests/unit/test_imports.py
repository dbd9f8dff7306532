"""What is loaded when: Locust has to patch ``ssl`` before anyone imports it, and a command line should answer at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "boto3",
    "botocore",
    "datasets",
    "gevent",
    "locust",
    "matplotlib",
    "numpy",
    "pandas",
    "plotly",
    "pyarrow",
    "scipy",
    "ssl",
)


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a new interpreter holds after ``statement``."""
    code = f"import sys\ntry:\n    {statement}\nexcept SystemExit:\n    pass\nprint('loaded:', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    line = next(line for line in done.stdout.splitlines() if line.startswith("loaded:"))
    return {name.split(".")[0] for name in line.split()[1:]}


@pytest.mark.parametrize(
    "statement",
    [
        "import fmbench",
        "import fmbench.cli",
        "from fmbench.cli import main; main(['--help'])",
        "import fmbench.report.drawing",
    ],
    ids=["the package", "the command line", "--help", "what starts the drawing of a report"],
)
def test_the_command_line_loads_nothing_heavy_and_nothing_that_locust_has_to_patch(statement: str):
    assert loaded_by(statement).isdisjoint(HEAVY)


def test_a_load_process_never_loads_what_only_prepare_and_report_need():
    loaded = loaded_by("import locust, fmbench.load.locustfile")
    assert "boto3" in loaded, "the locustfile was not really loaded"
    assert loaded.isdisjoint({"datasets", "pandas", "matplotlib", "plotly", "pyarrow", "scipy", "rs_bpe"})
