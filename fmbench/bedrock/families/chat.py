"""Chat completions, OpenAI's shape: gpt-oss, and the makers on Bedrock that took it over.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html
"""

from __future__ import annotations

from typing import Any

from fmbench.bedrock.families.base import Family, Json, Piece, count, first, given, items, mapping, text_of
from fmbench.bedrock.foreign import counts_in
from fmbench.bedrock.inline_reasoning import apart
from fmbench.bedrock.thinking import effort_fields
from fmbench.config.schema import Inference

_MAKERS = ("qwen.", "zai.", "moonshot", "minimax.", "nvidia.", "google.gemma", "deepseek.v", "writer.")
_THOUGHTS = ("reasoning_content", "reasoning", "thinking")


def messages(prompt: str, inference: Inference) -> list[Json]:
    """The system prompt, if any, and one user message."""
    system = [] if inference.system is None else [{"role": "system", "content": inference.system}]
    return [*system, {"role": "user", "content": prompt}]


def _body(model_id: str, prompt: str, inference: Inference) -> Json:
    most = "max_completion_tokens" if "openai." in model_id.lower() else "max_tokens"
    return {"messages": messages(prompt, inference), most: inference.max_tokens, **effort_fields(model_id, inference)} | given(
        temperature=inference.temperature, top_p=inference.top_p, stop=inference.stop_sequences
    )


def with_usage(piece: Piece, usage: Json, prompt: str = "prompt", answer: str = "completion") -> Piece:
    """Take the counts of ``<prompt>_tokens`` and ``<answer>_tokens``; OpenAI counts what a cache read and wrote in the first.

    Of a server that says that more was cached than the whole prompt holds, the first leaves that out.
    """
    details = mapping(usage.get(f"{prompt}_tokens_details"))
    piece.cache_read_tokens = count(details.get("cached_tokens"), "cached_tokens")
    piece.cache_write_tokens = count(details.get("cache_write_tokens"), "cache_write_tokens")
    total = count(usage.get(f"{prompt}_tokens"), f"{prompt}_tokens")
    cached = (piece.cache_read_tokens or 0) + (piece.cache_write_tokens or 0)
    piece.input_tokens = total if total is None or total < cached else total - cached
    piece.output_tokens = count(usage.get(f"{answer}_tokens"), f"{answer}_tokens")
    piece.reasoning_tokens = count(mapping(usage.get(f"{answer}_tokens_details")).get("reasoning_tokens"), "reasoning_tokens")
    return piece


def _content(content: Any) -> tuple[str, str]:
    """(visible text, reasoning) of a message's content: a text, or a list of parts, as Mistral's models that think send it."""
    if not isinstance(content, list):
        return text_of(content), ""
    parts = [mapping(part) for part in content]
    thoughts = [part.get("thinking") for part in parts if part.get("type") == "thinking"]
    inner = [mapping(each) for thought in thoughts for each in (thought if isinstance(thought, list) else [{"text": thought}])]
    visible = "".join(
        text_of(part.get("text")) or text_of(part.get("refusal")) for part in parts if part.get("type") != "thinking"
    )
    return visible, "".join(text_of(each.get("text")) for each in inner)


def _piece(body: Json, part: str) -> Piece:
    choice = first(body.get("choices"))
    message = mapping(choice.get(part))
    text, thought = _content(message.get("content"))
    piece = Piece(
        text=text or text_of(message.get("refusal")) or text_of(choice.get("text")),
        reasoning=thought or next((found for name in _THOUGHTS if (found := text_of(message.get(name)))), ""),
        tool=any(message.get(name) for name in ("tool_calls", "function_call", "audio", "reasoning_details")),
        refused=bool(message.get("refusal")) or any(mapping(part).get("refusal") for part in items(message.get("content"))),
        stop_reason=choice.get("finish_reason") or choice.get("stop_reason") or None,
    )
    return with_usage(piece, counts_in(body.get("usage")))


def chunk(body: Json) -> Piece:
    """A chunk of a streamed answer."""
    return _piece(body, "delta")


def whole(body: Json) -> Piece:
    """A whole answer. Reasoning that a model writes into its text is told apart."""
    piece = _piece(body, "message")
    inline, piece.text = apart(piece.text)
    piece.reasoning += inline
    return piece


FAMILY = Family("chat", "openai.", _body, whole, chunk, thinks=True, more_marks=_MAKERS)
