"""Other load generators, each installed into an environment of its own below ``.envs``, by the package index's own client."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.accuracy.clients import Client, python_client

ENVIRONMENTS = Path(__file__).parent / ".envs"
PEERS = {"LLMeter 0.2.0": ("llmeter==0.2.0", "client_llmeter")}
"""Its requirement and its client. AIPerf and GuideLLM speak OpenAI's HTTP alone: see the README."""


def peers() -> dict[str, Client]:
    """Every peer that can be pointed at the endpoint, installed."""
    return {name: python_client(module, _python_with(requirement)) for name, (requirement, module) in PEERS.items()}


def _python_with(requirement: str) -> str:
    folder = ENVIRONMENTS / requirement
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        print(f"installing {requirement} into {folder}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", requirement], check=True)
        (folder / "installed").touch()
    return str(python)
