"""Chat-completion bodies: gpt-oss, and the makers on Bedrock that took over the shape."""

from __future__ import annotations

from functools import lru_cache

from fmbench.simulator import frames
from fmbench.simulator.asks import by_effort, given, off_by_effort
from fmbench.simulator.families.base import Ask, Generation, Json, finish_word, limits, texts_of

_OPEN, _CLOSE = "<reasoning>", "</reasoning>"


class Chat:
    """``{"messages", "max_tokens"}`` → ``{"choices": [{"message", "finish_reason"}], "usage"}``."""

    member: str | None = None
    mark: str | None = "openai."

    def read(self, body: Json) -> Ask:
        """Messages with string or block content; those of the role ``system`` are no prompt text."""
        most = "max_completion_tokens" if "max_completion_tokens" in body else "max_tokens"
        effort = body.get("reasoning_effort") or body.get("reasoning_config")
        return Ask(
            texts=texts_of(body, lambda role: role != "system"),
            system=texts_of(body, lambda role: role == "system"),
            given=given(body, temperature="temperature", top_p="top_p", stop="stop_sequences")
            | off_by_effort(body.get("reasoning_effort")),
            **by_effort(effort),
            **limits(body, most, "stop"),
        )

    def whole(self, generation: Generation) -> Json:
        """One choice."""
        thought = "".join(_thoughts(generation))
        told = {_member(generation): thought} if thought else {}
        content = told.pop("content", "") + generation.text
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": content, **told},
            "finish_reason": finish_word(generation, "stop", "length"),
        }
        return {"id": generation.request_id, "choices": [choice], "usage": _usage(generation)}

    def opening(self, generation: Generation) -> list[Json]:
        """The role alone."""
        return [{"id": generation.request_id, **_part({"role": "assistant"}, None)}]

    def events(self, generation: Generation) -> list[bytes]:
        """One delta a part."""
        thoughts = [_delta(_member(generation), piece) for piece in _thoughts(generation)]
        return thoughts + [_delta("content", piece) for piece in generation.said_pieces]

    def closing(self, generation: Generation) -> list[Json]:
        """An empty delta with the finish reason and the usage."""
        return [{**_part({"content": ""}, finish_word(generation, "stop", "length")), "usage": _usage(generation)}]


def _inline(generation: Generation) -> bool:
    """gpt-oss tells its reasoning in the content itself."""
    return "gpt-oss" in generation.model_id


def _member(generation: Generation) -> str:
    return "content" if _inline(generation) else "reasoning_content"


def _thoughts(generation: Generation) -> list[str]:
    """The pieces of the reasoning as they are sent."""
    pieces = list(generation.thought_pieces)
    if pieces and _inline(generation):
        pieces[0] = _OPEN + pieces[0]
        pieces[-1] += _CLOSE
    return pieces


def _usage(generation: Generation) -> Json:
    prompt, output = generation.prompt_tokens, generation.output_tokens
    return {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}


def _part(delta: Json, reason: str | None) -> Json:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


@lru_cache(maxsize=65_536)
def _delta(member: str, piece: str) -> bytes:
    return frames.body_part(_part({member: piece}, None))


FAMILY = Chat()
