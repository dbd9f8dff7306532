"""The manifest: what a run was, beside what it measured. Written whole each time, and last of all."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from fmbench.core.failures import UnusableInput
from fmbench.core.records import SCHEMA_VERSION
from fmbench.storage.atomic import write_json
from fmbench.storage.runfolder import RunFolder
from fmbench.storage.shape import misshapen

RUNNING, DONE, STOPPED, INTERRUPTED, INCOMPLETE, FAILED = "running", "done", "stopped", "interrupted", "incomplete", "failed"
"""``status``: stopped early (budget, target down, …); incomplete: requests unaccounted for or a worker lost; failed: a fault."""

_CURE = "restore it from a copy"
_PACKAGES = (
    "fmbench-load",
    "boto3",
    "botocore",
    "locust",
    "gevent",
    "pandas",
    "pyarrow",
    "numpy",
    "scipy",
    "datasets",
    "genai-prices",
)


def write_manifest(folder: RunFolder, manifest: dict[str, Any]) -> None:
    """Put ``manifest`` into ``folder``, over the one that was there."""
    write_json(folder.manifest, manifest)


def read_manifest(folder: RunFolder) -> dict[str, Any]:
    """The manifest of ``folder``. Raises ``UnusableInput`` where there is none that this version can read."""
    where = f"{folder.address}/{folder.manifest.name}"
    try:
        manifest: dict[str, Any] = json.loads(folder.manifest.read_text())
    except FileNotFoundError:
        raise UnusableInput(f"{folder.path}: is no run folder (no manifest.json); give one, such as results/<run_id>.") from None
    except NotADirectoryError:
        raise UnusableInput(f"{folder.path}: is a file, and no run folder; give one, such as results/<run_id>.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableInput(f"{where}: cannot be read ({error}); {_CURE}.") from None
    version = str(manifest.get("schema_version", "")) if isinstance(manifest, dict) else ""
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        have = f"has schema version {version or '?'}, this program reads {SCHEMA_VERSION}"
        raise UnusableInput(f"{where}: {have}; use the version of fmbench-load that wrote it.")
    if wrong := misshapen(manifest):
        raise UnusableInput(f"{where}: is no manifest of a run ({', '.join(wrong)}: missing, or not as it is written); {_CURE}.")
    return manifest


def at_work(manifest: Mapping[str, Any]) -> bool:
    """Whether the program that the manifest names, another one than this, is still at work on the run on this machine."""
    process = manifest.get("process") or {}
    return process.get("host") == socket.gethostname() and _alive(int(process.get("pid", 0)))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return pid not in (0, os.getpid())


def environment() -> dict[str, Any]:
    """The machine and the interpreter that a run was made with."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "host": socket.gethostname(),
        "git": _git_commit(),
    }


def versions() -> dict[str, str]:
    """The versions of this program and of what its numbers stand on."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


@cache
def _git_commit() -> str | None:
    """The commit of the checkout that the program runs from; ``None`` when it is installed."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    asked = subprocess.run(
        ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True
    )
    return asked.stdout.strip() or None
