"""The composition root: prepare → load → finish, and what is done with stored runs."""

from __future__ import annotations

from fmbench.callable_package import calls

calls(__name__, "fmbench.python", "run")
