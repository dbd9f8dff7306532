"""What a request asks of a model, whichever API and body shape it came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from fmbench.simulator import errors
from fmbench.simulator.cache import Point
from fmbench.simulator.text import count_tokens

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Ask:
    """One prompt and its inference parameters. ``other_bytes`` is the size of what is not text (tools, images)."""

    texts: list[str]
    system: list[str] = field(default_factory=list)
    other_bytes: int = 0
    max_tokens: int | None = None
    stop_sequences: list[str] = field(default_factory=list)
    latency: str | None = None
    tier: str | None = None
    given: frozenset[str] = frozenset()
    """Which parameters that a model may turn down it carries, by our configuration's names."""
    thinking: str | None = None
    """``on`` or ``off`` where the request says."""
    effort: str | None = None
    points: list[Point] = field(default_factory=list)
    """Where the prompt is to be cached."""

    @property
    def text(self) -> str:
        """The messages' text."""
        return "\n".join(self.texts)

    @property
    def whole_prompt(self) -> bytes:
        """All text that the model reads, from its beginning."""
        return "\n".join([*self.system, *self.texts]).encode()

    @property
    def tokens(self) -> int:
        """Prompt tokens by the service's own count."""
        return count_tokens(len(self.whole_prompt) + self.other_bytes)


def read_body(body: bytes) -> Json:
    """The body's JSON object."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise errors.malformed()
    return content


def model_of(body: Json) -> str:
    """The model that the body names, for APIs whose path names none."""
    model = body.get("model")
    if not isinstance(model, str) or not model.strip():
        raise errors.validation("model: Field required")
    return model


def read_converse(body: Json) -> Ask:
    """A Converse or ConverseStream body."""
    messages = _list(body, "messages")
    _check_messages(messages)
    limits = _object(body, "inferenceConfig")
    check_ranges({f"inferenceConfig.{name}": value for name, value in limits.items()})
    ask = Ask(
        texts=[],
        max_tokens=limits.get("maxTokens"),
        stop_sequences=list(limits.get("stopSequences") or ()),
        given=_given_to_converse(body, limits),
        **_thinking_of_converse(body),
        latency=_object(body, "performanceConfig").get("latency"),
        tier=_object(body, "serviceTier").get("type"),
    )
    take_blocks(_list(body, "system"), ask.system, ask)
    for message in messages:
        take_blocks(message["content"], ask.texts, ask)
    if "toolConfig" in body:
        ask.other_bytes += len(orjson.dumps(body["toolConfig"]))
    return ask


def given(body: Mapping[str, Any], **names: str) -> frozenset[str]:
    """The configuration's names of those members that ``body`` has; ``names`` goes from one to the other."""
    return frozenset(name for member, name in names.items() if body.get(member) is not None)


def thinking_given(thinking: Any) -> tuple[str | None, frozenset[str]]:
    """(``on`` or ``off``, what of it a model may turn down) of Claude's ``thinking`` member."""
    if not isinstance(thinking, dict):
        return None, frozenset()
    if thinking.get("type") == "enabled":
        return "on", frozenset({"thinking: budget"})
    if thinking.get("type") == "adaptive":
        return "on", frozenset()
    return "off", frozenset({"thinking: off", f"thinking: {thinking.get('type')}"})


def by_effort(effort: Any) -> Json:
    """``thinking`` and ``effort`` of an ``Ask`` as an effort says; it may say nothing."""
    said = effort if isinstance(effort, str) else None
    return {"effort": said, "thinking": None if said is None else "off" if said == "none" else "on"}


def off_by_effort(effort: Any) -> frozenset[str]:
    """What of an effort a model may turn down, whatever its other parameters are."""
    return frozenset({"thinking: off"}) if effort == "none" else frozenset()


def _given_to_converse(body: Json, limits: Json) -> frozenset[str]:
    more = _object(body, "additionalModelRequestFields")
    found = given(limits, temperature="temperature", topP="top_p", stopSequences="stop_sequences") | given(more, top_k="top_k")
    return found | thinking_given(more.get("thinking"))[1] | off_by_effort(_effort_of_converse(body))


def _effort_of_converse(body: Json) -> Any:
    more = _object(body, "additionalModelRequestFields")
    nova = _object(more, "reasoningConfig")
    efforts = (
        _object(body, "outputConfig").get("effort"),
        _object(more, "reasoning").get("effort"),
        more.get("reasoning_effort"),
        more.get("reasoning_config"),
        {"enabled": nova.get("maxReasoningEffort") or "medium", "disabled": "none"}.get(str(nova.get("type"))),
    )
    return next((effort for effort in efforts if effort is not None), None)


def _thinking_of_converse(body: Json) -> Json:
    said = by_effort(_effort_of_converse(body))
    told = thinking_given(_object(body, "additionalModelRequestFields").get("thinking"))[0]
    return said | ({} if told is None else {"thinking": told})


def check_ranges(limits: Mapping[str, Any]) -> None:
    """Refuse values that are out of bounds; ``limits`` goes by the member's path, of which the last part says what it is."""
    for path, value in limits.items():
        least, most = _BOUNDS.get(path.rpartition(".")[2], (None, None))
        if least is None or value is None:
            continue
        if not isinstance(value, int if most is None else (int, float)) or value < least:
            raise _out_of_bounds(path, value, f"greater than or equal to {least}")
        if most is not None and value > most:
            raise _out_of_bounds(path, value, f"less than or equal to {most}")


_BOUNDS: dict[str, tuple[int | None, int | None]] = {
    "maxTokens": (1, None),
    "max_tokens": (1, None),
    "max_completion_tokens": (1, None),
    "max_gen_len": (1, None),
    "max_new_tokens": (1, None),
    "maxTokenCount": (1, None),
    "temperature": (0, 1),
    "topP": (0, 1),
    "top_p": (0, 1),
    "p": (0, 1),
}


def _out_of_bounds(path: str, value: Any, bound: str) -> errors.ServiceError:
    return errors.validation(
        f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: Member must have value {bound}"
    )


def _check_messages(messages: list[Any]) -> None:
    if not messages:
        raise errors.validation("The value at messages is empty. Provide at least one message and try again.")
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("content"), list) or not message["content"]:
            raise errors.validation(
                f"The content field in the Message object at messages.{index} is empty. "
                "Add a ContentBlock object to the content field and try again."
            )
        _check_blocks(index, message["content"])
    if messages[0].get("role") != "user":
        raise errors.validation(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message."
        )


def _check_blocks(index: int, blocks: list[Any]) -> None:
    for position, block in enumerate(blocks):
        if isinstance(block, dict) and "text" in block and not str(block["text"]).strip():
            raise errors.validation(
                f"The text field in the ContentBlock object at messages.{index}.content.{position} is blank. "
                "Add text to the text field, and try again."
            )


def take_blocks(blocks: list[Any], texts: list[str], ask: Ask) -> None:
    """Text, cache points and the size of the rest of Converse's content blocks."""
    for block in blocks:
        if isinstance(block, dict) and isinstance(block.get("text"), str):
            texts.append(block["text"])
        elif isinstance(block, dict) and isinstance(block.get("cachePoint"), dict):
            ask.points.append(Point(len(ask.whole_prompt), str(block["cachePoint"].get("ttl") or "5m")))
        else:
            ask.other_bytes += len(orjson.dumps(block))


def _list(body: Json, name: str) -> list[Any]:
    value = body.get(name) or []
    if not isinstance(value, list):
        raise errors.validation(f"The value at {name} is not a list.")
    return value


def _object(body: Json, name: str) -> Json:
    value = body.get(name) or {}
    if not isinstance(value, dict):
        raise errors.validation(f"The value at {name} is not an object.")
    return value
