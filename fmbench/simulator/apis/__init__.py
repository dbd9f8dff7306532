"""The APIs of the endpoint, a file each, found from the folder. Those that the client has are called by the same name."""

from __future__ import annotations

from functools import cache
from urllib.parse import unquote

from fmbench.core.registry import entry, names_in
from fmbench.simulator.apis.base import Api

_FOLDER = "simulator/apis"


@cache
def every_api() -> tuple[Api, ...]:
    """Every entry of the folder."""
    return tuple(entry(_FOLDER, name).API for name in names_in(_FOLDER))


def route(method: str, path: str) -> tuple[Api | None, str | None]:
    """(API, model id) of a request; no API for a path that is none, and no model id where the body names it."""
    if method != "POST":
        return None, None
    by_path, by_verb = _tables()
    if path in by_path:
        return by_path[path], None
    parts = path.split("/")
    api = by_verb.get(parts[-1]) if len(parts) >= 4 and parts[1] == "model" else None
    return api, None if api is None else unquote("/".join(parts[2:-1]))


@cache
def _tables() -> tuple[dict[str, Api], dict[str, Api]]:
    by_path = {path: api for api in every_api() for path in api.paths}
    return by_path, {api.verb: api for api in every_api() if api.verb is not None}
