"""Where a prompt is to be cached, put into a request: cachePoint (Converse, Nova), cache_control (Messages).

https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fmbench.config.schema import CachePoints, Inference, Model
from fmbench.core.failures import UnusableInput

Json = dict[str, Any]


@dataclass(slots=True, frozen=True)
class Asking:
    """One request's text and parameters. ``shared`` characters at the text's beginning are what other requests have too."""

    text: str
    inference: Inference
    points: CachePoints | None = None
    shared: int | None = None
    """None: all of the text."""
    metadata: Mapping[str, str] | None = None
    """What the invocation log is to say of the request, by Bedrock's own APIs."""


def with_cache_points(body: Json, asking: Asking) -> Json:
    """A Converse or Nova body with a cachePoint after the system prompt and after the shared part of the text."""
    if asking.points is None:
        return body
    lasts = {} if asking.points.ttl == "5m" else {"ttl": asking.points.ttl}
    point = {"cachePoint": {"type": "default"} | lasts}
    body = dict(body)
    if "system" in asking.points.points and body.get("system"):
        body["system"] = [*body["system"], point]
    if "context" in asking.points.points:
        shared, rest = _halves(asking)
        body["messages"] = [{"role": "user", "content": [{"text": shared}, point, *({"text": text} for text in rest)]}]
    return body


def with_cache_control(body: Json, asking: Asking) -> Json:
    """A Messages body with cache_control on the system prompt and on the shared part of the text."""
    if asking.points is None:
        return body
    control = {"cache_control": {"type": "ephemeral", "ttl": asking.points.ttl}}
    body = dict(body)
    if "system" in asking.points.points and body.get("system"):
        body["system"] = [{"type": "text", "text": body["system"]} | control]
    if "context" in asking.points.points:
        shared, rest = _halves(asking)
        content = [{"type": "text", "text": shared} | control, *({"type": "text", "text": text} for text in rest)]
        body["messages"] = [{"role": "user", "content": content}]
    return body


def check_no_points(model: Model, asking: Asking) -> None:
    """Raises ``UnusableInput`` where points are asked for of an API or a body that has no place for them."""
    if asking.points is not None:
        raise UnusableInput(
            f"models: {model.id}: cache.points have no place in api {model.api} of this model. "
            "Use api: converse-stream or messages, or cache: allow for models that cache unasked."
        )


def _halves(asking: Asking) -> tuple[str, list[str]]:
    """(the shared part, what comes after it): blank blocks are refused by the service."""
    at = len(asking.text) if asking.shared is None else asking.shared
    rest = asking.text[at:]
    return (asking.text[:at], [rest]) if rest.strip() and asking.text[:at].strip() else (asking.text, [])
