"""What the endpoint says of itself, at any time but during the load."""

from __future__ import annotations

import json
import urllib.request
from ssl import create_default_context
from typing import Any

Ledger = list[dict[str, Any]]


def read(url: str, ca_bundle: str | None) -> Ledger:
    """A row a request, in the order of their arrival."""
    return [json.loads(line) for line in _ask(url, ca_bundle, "GET", "ledger?since=0").splitlines()]


def reset(url: str, ca_bundle: str | None) -> None:
    """Forget all rows, and draw the same answers and paces again."""
    _ask(url, ca_bundle, "POST", "reset")


def _ask(url: str, ca_bundle: str | None, method: str, page: str) -> bytes:
    context = create_default_context(cafile=ca_bundle) if ca_bundle else None
    request = urllib.request.Request(f"{url}/_simulator/{page}", method=method)
    with urllib.request.urlopen(request, timeout=60, context=context) as answer:
        return bytes(answer.read())
