"""The addresses that a configuration may name besides paths: a store's scheme is the name of its file in ``storage/stores/``."""

from __future__ import annotations

from fmbench.core.registry import names_in

SCHEMES = tuple(name for name in names_in("storage/stores") if name != "local")
"""What the address of a store that is no folder begins with."""

STORE_EXAMPLES = " or ".join(f"{scheme}://bucket/prefix" for scheme in SCHEMES)
"""Such addresses, for messages and help."""
