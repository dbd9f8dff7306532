"""Chat-completion bodies: AI21 Jamba, and the families on Bedrock that took over the shape."""

from __future__ import annotations

from functools import lru_cache

from fmbench.simulator import frames
from fmbench.simulator.families.base import Ask, Generation, Json, finish_word, limits, texts_of


class Chat:
    """``{"messages", "max_tokens"}`` → ``{"choices": [{"message", "finish_reason"}], "usage"}``."""

    member = None
    mark = "ai21."

    def read(self, body: Json) -> Ask:
        """Messages with string or block content; those of the role ``system`` are no prompt text."""
        texts = texts_of(body, lambda role: role != "system")
        return Ask(texts=texts, system=texts_of(body, lambda role: role == "system"), **limits(body, "max_tokens", "stop"))

    def whole(self, generation: Generation) -> Json:
        """One choice."""
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": generation.reasoning + generation.text},
            "finish_reason": finish_word(generation, "stop", "length"),
        }
        return {"id": generation.request_id, "choices": [choice], "usage": _usage(generation)}

    def opening(self, generation: Generation) -> list[Json]:
        """The role alone."""
        return [{"id": generation.request_id, **_part({"role": "assistant"}, None)}]

    def events(self, generation: Generation) -> list[bytes]:
        """One delta a part."""
        return [_delta(piece) for piece in generation.all_pieces]

    def closing(self, generation: Generation) -> list[Json]:
        """An empty delta with the finish reason and the usage."""
        return [{**_part({"content": ""}, finish_word(generation, "stop", "length")), "usage": _usage(generation)}]


def _usage(generation: Generation) -> Json:
    prompt, output = generation.prompt_tokens, generation.output_tokens
    return {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}


def _part(delta: Json, reason: str | None) -> Json:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


@lru_cache(maxsize=65_536)
def _delta(piece: str) -> bytes:
    return frames.body_part(_part({"content": piece}, None))


FAMILY = Chat()
