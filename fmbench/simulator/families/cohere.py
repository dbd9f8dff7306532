"""Cohere Command R's bodies, and the older Command's."""

from __future__ import annotations

from functools import lru_cache

from fmbench.simulator import frames
from fmbench.simulator.families.base import Ask, Generation, Json, finish_word, limits, required_text


class Cohere:
    """``{"message"}`` (Command R) or ``{"prompt"}`` (Command) → ``{"text", "finish_reason"}``.

    Token counts are in headers and metrics only.
    """

    member = "message"
    mark = "cohere."

    def read(self, body: Json) -> Ask:
        """The message with its chat history, or one prompt string."""
        if "prompt" in body:
            return Ask(texts=[required_text(body, "prompt")], **limits(body, "max_tokens", "stop_sequences"))
        preamble = body.get("preamble")
        history = [str(turn.get("message", "")) for turn in body.get("chat_history") or ()]
        ask = Ask(texts=[*history, required_text(body, "message")], **limits(body, "max_tokens", "stop_sequences"))
        ask.system = [preamble] if isinstance(preamble, str) else []
        return ask

    def whole(self, generation: Generation) -> Json:
        """Command R's members, with Command's ``generations`` beside them."""
        text, reason = generation.reasoning + generation.text, finish_word(generation, "COMPLETE", "MAX_TOKENS")
        identity = {"response_id": generation.request_id, "generation_id": generation.request_id}
        older = {"generations": [{"id": generation.request_id, "text": text, "finish_reason": reason}]}
        return {**identity, "text": text, "finish_reason": reason, "chat_history": [], **older}

    def opening(self, generation: Generation) -> list[Json]:
        """stream-start."""
        return [{"event_type": "stream-start", "is_finished": False, "generation_id": generation.request_id}]

    def events(self, generation: Generation) -> list[bytes]:
        """text-generation parts."""
        return [_delta(piece) for piece in generation.all_pieces]

    def closing(self, generation: Generation) -> list[Json]:
        """stream-end with the whole response again."""
        return [
            {
                "event_type": "stream-end",
                "is_finished": True,
                "finish_reason": finish_word(generation, "COMPLETE", "MAX_TOKENS"),
                "response": self.whole(generation),
            }
        ]


@lru_cache(maxsize=65_536)
def _delta(piece: str) -> bytes:
    return frames.body_part({"event_type": "text-generation", "is_finished": False, "text": piece})


FAMILY = Cohere()
