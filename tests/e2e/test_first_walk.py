"""A new user's first walk: a machine of one's own, an empty HOME, the wheel alone, six commands, three minutes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_SECONDS = 180
MODELS = {"nova-lite", "claude-haiku-4-5"}


def _environment(home: Path, work: Path) -> dict[str, str]:
    """What a new user has: a PATH and an empty HOME; beside it where pip finds packages, as this machine says."""
    home.mkdir()
    (work / "tmp").mkdir()
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(("PIP_", "SSL_", "HTTP", "NO_PROXY"))}
    path = f"{work / 'venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin"
    return kept | {
        "PATH": path,
        "HOME": str(home),
        "TMPDIR": str(work / "tmp"),
        "LANG": "C.UTF-8",
        "PIP_CACHE_DIR": str(home / "pip"),
    }


@pytest.mark.long
@pytest.mark.timing
def test_six_commands_lead_from_the_wheel_to_a_report_of_ones_own_models(tmp_path: Path):
    work = tmp_path / "new"
    work.mkdir()
    built = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path / "dist"), str(ROOT)]
    subprocess.run(built, check=True, timeout=300, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    environment = _environment(tmp_path / "home", work)
    commands = [
        ["python3", "-m", "venv", "venv"],
        ["venv/bin/pip", "install", "--quiet", str(wheel)],
        ["fmbench-load", "init", "--model", "nova-lite", "--model", "haiku", "--simulate"],
        ["fmbench-load", "cfg.yml", "--dry-run"],
        ["fmbench-load", "cfg.yml"],
        ["fmbench-load", "runs", "--json"],
    ]
    seconds, last = [], ""
    for command in commands:
        began = time.monotonic()
        resolved = [str(work / command[0]) if "/" in command[0] else command[0], *command[1:]]
        done = subprocess.run(
            ["/usr/bin/env", *resolved],
            cwd=work,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            stdin=subprocess.DEVNULL,
        )
        seconds.append(time.monotonic() - began)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        last = done.stdout
    print("\n".join(f"{taken:6.1f} s  {' '.join(command)}" for command, taken in zip(commands, seconds, strict=True)))
    print(f"{sum(seconds):6.1f} s  in all")
    run = json.loads(last)
    summary = json.loads((work / run["address"] / "summary.json").read_text())
    assert {cell["model"] for cell in summary["cells"]} == MODELS
    assert summary["recommendation"]["model"] in MODELS, summary["recommendation_reason"]
    assert "nova-lite" in (work / run["address"] / "report.html").read_text()
    assert str(ROOT) not in json.dumps(summary) + (work / run["address"] / "manifest.json").read_text()
    assert sum(seconds) <= MOST_SECONDS
