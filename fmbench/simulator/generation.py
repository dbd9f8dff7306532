"""What a model answers to one ask, before it is put in the words of an API."""

from __future__ import annotations

from dataclasses import dataclass

from fmbench.simulator.text import pieces


@dataclass(slots=True, kw_only=True)
class Generation:
    """An answer and its facts. Stop reasons are Converse's; ``input_tokens`` leaves out what the cache read or wrote."""

    model_id: str
    request_id: str
    thought: list[str]
    """The tokens of its reasoning, which comes first."""
    said: list[str]
    """The tokens of its visible text."""
    stop_reason: str
    input_tokens: int
    stop_sequence: str | None = None
    cache_read_tokens: int | None = None
    """``None``: the model has no prompt cache."""
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int = 0
    """Those of them that are kept for an hour."""
    invoked_model: str | None = None
    """The model that a router chose."""
    latency: str | None = None
    tier: str | None = None
    tokens_per_event: int = 1
    tells_usage: bool = True
    tells_stop: bool = True
    content_type: str | None = None
    """Sent in place of the right content type."""

    @property
    def reasoning(self) -> str:
        """The reasoning as text."""
        return "".join(self.thought)

    @property
    def text(self) -> str:
        """The visible text."""
        return "".join(self.said)

    @property
    def output_tokens(self) -> int:
        """All that was generated."""
        return len(self.thought) + len(self.said)

    @property
    def prompt_tokens(self) -> int:
        """The whole prompt, cached or not."""
        return self.input_tokens + (self.cache_read_tokens or 0) + (self.cache_write_tokens or 0)

    @property
    def thought_pieces(self) -> list[str]:
        """The reasoning in the pieces that it is streamed in."""
        return pieces(self.thought, self.tokens_per_event)

    @property
    def said_pieces(self) -> list[str]:
        """The visible text in the pieces that it is streamed in."""
        return pieces(self.said, self.tokens_per_event)

    @property
    def all_pieces(self) -> list[str]:
        """Both, for families that do not tell them apart."""
        return self.thought_pieces + self.said_pieces
