"""Packages that are functions too: ``fmbench.run`` and ``fmbench.simulator`` hold the parts of a run and of the simulator, and a
notebook calls them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any


def calls(package: str, module: str, name: str) -> None:
    """Have ``package(…)`` call ``name`` of ``module``, which is imported then and not before."""

    class CallablePackage(ModuleType):
        def __call__(self, *arguments: Any, **named: Any) -> Any:
            function: Callable[..., Any] = getattr(import_module(module), name)
            return function(*arguments, **named)

    sys.modules[package].__class__ = CallablePackage
