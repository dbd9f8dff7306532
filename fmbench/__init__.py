"""FMBench Load: measure Amazon Bedrock models under concurrent users, and say which to pick.

Importing this package imports nothing else: Locust has to patch the standard library before ``ssl`` is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fmbench.python import Run, compare, load_run, run, simulator

__version__ = "0.1.0"
__all__ = ["Run", "compare", "load_run", "run", "simulator"]


def __getattr__(name: str) -> Any:
    """The names of ``fmbench.python``, when they are asked for; ``run`` and ``simulator`` are packages that can be called."""
    from importlib import import_module

    if name in ("run", "simulator"):
        return import_module(f"fmbench.{name}")
    if name in __all__:
        return getattr(import_module("fmbench.python"), name)
    raise AttributeError(f"module fmbench has no {name}")
