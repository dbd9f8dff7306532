"""Lists of models as OpenAI's and Anthropic's APIs give them: all, or one by its id."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from fmbench.simulator.asks import Json

_OPENAI = ("/openai/v1/models", "/v1/models")
_ANTHROPIC = "/anthropic/v1/models"
_EXAMPLES = (
    "amazon.nova-lite-v1:0",
    "anthropic.claude-haiku-5-5",
    "anthropic.claude-opus-5-5",
    "openai.gpt-6-sol",
    "openai.gpt-oss-120b",
    "qwen.qwen3-32b",
)
"""What is listed where no model is configured and none was asked: any id is answered."""
_BEGAN = 1_780_272_000
_BEGAN_ON = "2026-06-01T00:00:00Z"


def listed(path: str, names: Iterable[str]) -> tuple[int, Json] | None:
    """(status, body) of the list at ``path``, of models by these names; None for a path that is none of a list."""
    base = next((base for base in (*_OPENAI, _ANTHROPIC) if path == base or path.startswith(base + "/")), None)
    if base is None:
        return None
    anthropic = base == _ANTHROPIC
    ids = [name for name in sorted({*names}) or _EXAMPLES if not anthropic or "claude" in name]
    if path == base:
        return 200, _all_of(ids, anthropic)
    name = unquote(path.removeprefix(base + "/"))
    if name not in ids:
        return 404, _unknown(name, anthropic)
    return 200, _one(name, anthropic)


def _one(name: str, anthropic: bool) -> Json:
    if anthropic:
        return {"type": "model", "id": name, "display_name": name, "created_at": _BEGAN_ON}
    return {"id": name, "object": "model", "created": _BEGAN, "owned_by": name.rpartition(".")[0] or "system"}


def _all_of(ids: list[str], anthropic: bool) -> Json:
    rows = [_one(name, anthropic) for name in ids]
    if not anthropic:
        return {"object": "list", "data": rows}
    ends: list[str | None] = [ids[0], ids[-1]] if ids else [None, None]
    return {"data": rows, "has_more": False, "first_id": ends[0], "last_id": ends[1]}


def _unknown(name: str, anthropic: bool) -> Json:
    message = f"The model '{name}' does not exist"
    if anthropic:
        return {"type": "error", "error": {"type": "not_found_error", "message": message}}
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": "model_not_found"}}
