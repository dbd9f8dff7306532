"""Other load generators, each installed into an environment of its own below ``.envs``, by the package index's own client."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy import client_aiperf, client_guidellm
from benchmarks.accuracy.clients import python_client
from benchmarks.accuracy.work import Client

ENVIRONMENTS = Path(__file__).parent / ".envs"


@dataclass(frozen=True)
class Peer:
    """What is installed, one after the other, and the client that the environment's Python makes."""

    requirements: tuple[str, ...]
    client: Callable[[Path], Client]


PEERS = {
    "LLMeter 0.2.0": Peer(("llmeter==0.2.0",), lambda python: python_client("client_llmeter", str(python))),
    "AIPerf 0.13.0": Peer(("aiperf==0.13.0",), client_aiperf.client),
    "GuideLLM 0.8.1": Peer(("torch==2.13.0", "guidellm==0.8.1"), client_guidellm.client),
}
"""GuideLLM does not start without torch, of which the newest may be a build for GPUs, of several gigabytes."""


def peers() -> dict[str, Client]:
    """Every peer, installed; one that cannot be is said on stderr, and left out."""
    found = {}
    for name, peer in PEERS.items():
        try:
            found[name] = peer.client(_python_with(peer.requirements))
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{name} has no row: {error}", file=sys.stderr, flush=True)
    return found


def _python_with(requirements: tuple[str, ...]) -> Path:
    folder = ENVIRONMENTS / requirements[-1]
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        print(f"installing {requirements[-1]} into {folder}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        for requirement in requirements:
            subprocess.run([str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", requirement], check=True)
        (folder / "installed").touch()
    return python
