"""What is known of models, by their ids: where they are served, what they turn down, and whether they think.

A small table with its source and date. It gives advice, defaults and clear refusals; the service has the last word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

AS_OF = "2026-11-27"
SOURCE = (
    "pydantic-ai 2.68 (profiles/anthropic.py, providers/bedrock.py) and litellm 1.110 (llms/bedrock), whose notes say what "
    "was checked against live AWS; Amazon Bedrock user guide, endpoints and inference APIs"
)

SAMPLING = ("temperature", "top_p", "top_k")
"""Parameters that choose among likely next words; ``top_k`` stands under ``additional_model_request_fields``."""
THINKING_MAX_TOKENS = 4096
"""``max_tokens`` of a model that thinks, where the configuration does not say: thinking counts, and an answer has to fit too."""
ROOM_AFTER_BUDGET = 1024
"""Tokens for the answer beyond a thinking budget."""
DEFAULT_MAX_TOKENS = 128
"""``max_tokens`` is always sent; this much when the configuration does not say and the model does not think."""


class Thinks(StrEnum):
    """When a model thinks before it answers."""

    NEVER = "never"
    ASKED = "asked"
    """Only when it is asked to."""
    UNASKED = "unasked"
    """Unless it is asked not to."""
    ALWAYS = "always"


class Way(StrEnum):
    """How a model is asked to think, outside Claude's own ``thinking`` member."""

    CLAUDE = "claude"
    REASONING = "reasoning"
    """``reasoning: {effort}``."""
    REASONING_EFFORT = "reasoning_effort"
    """``reasoning_effort``."""
    REASONING_CONFIG = "reasoning_config"
    NOVA = "reasoningConfig"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the models whose bare id ``pattern`` matches."""

    pattern: str
    runtime: tuple[str, ...] = ("converse", "invoke")
    """API kinds that bedrock-runtime serves it by: converse, invoke, messages, responses, chat."""
    mantle: tuple[str, ...] = ()
    """API kinds that bedrock-mantle serves it by."""
    openai_prefix: bool = False
    """Whether bedrock-mantle has it below ``/openai/v1`` and not ``/v1``."""
    turns_down: tuple[str, ...] = ()
    """Inference keys that are answered with HTTP 400; ``thinking: budget`` stands for a budget, ``thinking: off`` for off."""
    thinks: Thinks = Thinks.NEVER
    way: Way | None = None
    adaptive: bool = False
    """Whether Claude's thinking is asked for without a budget."""
    off: str = "disabled"
    """What Claude's ``thinking.type`` is without thinking."""
    on_effort: str = "medium"
    """The effort that ``thinking: on`` stands for where only an effort can be given."""
    efforts: tuple[str, ...] | None = None
    """The words for ``effort`` that it takes; others are answered with HTTP 400. None: not known; empty: it takes none."""
    thinks_at: str | None = None
    """The one effort at which it does think. None: it thinks at any, as far as is known."""
    top_efforts_think: bool = False
    """Whether an effort above ``high`` is turned down while thinking is off."""
    not_together: tuple[str, ...] = ()
    """Parameters of which it takes one alone."""
    by_responses: tuple[str, ...] = ()
    """What it turns down by Responses alone."""
    least_max_tokens: int = 1
    """Fewer are turned down, by OpenAI's Responses at least."""
    lifetimes: tuple[str, ...] | None = None
    """For how long it keeps prompts up to the points that requests set; None: not known, empty: it takes no points."""


_CLAUDE_DOORS = ("converse", "invoke", "messages")
_NO_SAMPLING = (*SAMPLING, "thinking: budget")
_TO_HIGH = ("low", "medium", "high")
_TO_XHIGH = (*_TO_HIGH, "xhigh")
_TO_MAX = (*_TO_XHIGH, "max")
_SHORT, _LONG = ("5m",), ("5m", "1h")
_FIRST_TOKENS = 16


def _claude(pattern: str, **facts: object) -> Facts:
    given = {"runtime": _CLAUDE_DOORS, "mantle": ("messages",), "way": Way.CLAUDE, "thinks": Thinks.ASKED} | facts
    return Facts(pattern=rf"anthropic\.claude-(?:{pattern})", **given)  # type: ignore[arg-type]


def _gpt(pattern: str, **facts: object) -> Facts:
    given = {
        "runtime": ("converse", "responses", "chat"),
        "mantle": ("chat", "responses"),
        "openai_prefix": True,
        "turns_down": (*SAMPLING, "stop_sequences"),
        "thinks": Thinks.UNASKED,
        "way": Way.REASONING,
        "least_max_tokens": _FIRST_TOKENS,
        "lifetimes": (),
    } | facts
    return Facts(pattern=rf"openai\.gpt-{pattern}", **given)  # type: ignore[arg-type]


def _grok(pattern: str, **facts: object) -> Facts:
    given = {
        "runtime": ("converse", "chat"),
        "mantle": ("chat", "responses"),
        "openai_prefix": True,
        "thinks": Thinks.ALWAYS,
        "way": Way.REASONING,
        "efforts": _TO_XHIGH,
        "least_max_tokens": _FIRST_TOKENS,
        "lifetimes": (),
    } | facts
    return Facts(pattern=rf"xai\.grok-{pattern}", **given)  # type: ignore[arg-type]


def _at_high(pattern: str, way: Way) -> Facts:
    """Models that think at the effort ``high`` alone."""
    return Facts(
        pattern=pattern, thinks=Thinks.ASKED, way=way, on_effort="high", thinks_at="high", mantle=("chat",), lifetimes=()
    )


TABLE: tuple[Facts, ...] = (
    _claude(
        r"(opus-5-[5-9]|fable|mythos)",
        turns_down=(*_NO_SAMPLING, "thinking: off"),
        thinks=Thinks.ALWAYS,
        adaptive=True,
        efforts=_TO_MAX,
        lifetimes=_LONG,
    ),
    _claude(
        r"sonnet-5-[5-9]",
        turns_down=_NO_SAMPLING,
        thinks=Thinks.UNASKED,
        adaptive=True,
        off="between_tools",
        efforts=_TO_MAX,
        top_efforts_think=True,
        lifetimes=_LONG,
    ),
    _claude(
        r"(opus-5|haiku-5-5)\b",
        turns_down=_NO_SAMPLING,
        thinks=Thinks.UNASKED,
        adaptive=True,
        efforts=_TO_MAX,
        top_efforts_think=True,
        lifetimes=_LONG,
    ),
    _claude(r"sonnet-5\b", turns_down=_NO_SAMPLING, thinks=Thinks.UNASKED, adaptive=True, efforts=_TO_MAX, lifetimes=_LONG),
    _claude(r"(opus|sonnet|haiku)-([5-9]|\d\d)\b", turns_down=_NO_SAMPLING, thinks=Thinks.UNASKED, adaptive=True),
    _claude(r"opus-4-[78]", turns_down=_NO_SAMPLING, adaptive=True, efforts=_TO_MAX, lifetimes=_LONG),
    _claude(r"(opus|sonnet)-4-6", adaptive=True, efforts=(*_TO_HIGH, "max"), lifetimes=_LONG),
    _claude(r"opus-4-5", efforts=_TO_HIGH, lifetimes=_LONG),
    _claude(r"(sonnet|haiku)-4-5", efforts=(), not_together=("temperature", "top_p"), lifetimes=_LONG),
    _claude(r"3-7|(opus|sonnet|haiku)-4", efforts=(), lifetimes=_SHORT),
    _claude(r"v?[123]\b|v2|instant", thinks=Thinks.NEVER, efforts=()),
    _claude(r".*", thinks=Thinks.UNASKED, adaptive=True),
    Facts(
        pattern=r"openai\.gpt-oss-safeguard",
        runtime=("converse", "invoke", "chat"),
        mantle=("chat",),
        thinks=Thinks.ALWAYS,
        way=Way.REASONING_EFFORT,
        efforts=_TO_HIGH,
        lifetimes=(),
    ),
    Facts(
        pattern=r"openai\.gpt-oss",
        runtime=("converse", "invoke", "chat"),
        mantle=("chat", "responses"),
        turns_down=("thinking: off",),
        thinks=Thinks.ALWAYS,
        way=Way.REASONING_EFFORT,
        efforts=_TO_HIGH,
        lifetimes=(),
    ),
    _gpt(r"5\.[45]", runtime=("responses",), turns_down=SAMPLING),
    _gpt(r"(6-astra|6\.1-sol)", turns_down=(*SAMPLING, "stop_sequences", "thinking: off"), thinks=Thinks.ALWAYS),
    _gpt(r".*cyber", runtime=()),
    _gpt(r"daybreak", runtime=(), mantle=("responses",)),
    _gpt(r""),
    _grok(r"4\.3", runtime=(), efforts=None),
    _grok(r"4\.6", turns_down=(*SAMPLING, "stop_sequences", "thinking: off")),
    _grok(r"", turns_down=("stop_sequences", "thinking: off"), on_effort="high"),
    Facts(
        pattern=r"google\.gemma-4",
        runtime=(),
        mantle=("chat", "responses"),
        openai_prefix=True,
        thinks=Thinks.UNASKED,
        efforts=("none", *_TO_HIGH),
        by_responses=("temperature", "top_p"),
        least_max_tokens=_FIRST_TOKENS,
        lifetimes=(),
    ),
    Facts(
        pattern=r"zai\.glm-5\.[3-9]",
        thinks=Thinks.ALWAYS,
        way=Way.REASONING_EFFORT,
        turns_down=("thinking: off",),
        mantle=("chat",),
        efforts=_TO_MAX,
    ),
    _at_high(r"zai\.", way=Way.REASONING_EFFORT),
    Facts(pattern=r"deepseek\.r1", thinks=Thinks.ALWAYS, efforts=(), lifetimes=()),
    _at_high(r"deepseek\.", way=Way.REASONING_EFFORT),
    _at_high(r"qwen\.qwen3", way=Way.REASONING_CONFIG),
    Facts(pattern=r"moonshotai\.kimi-k3", thinks=Thinks.ALWAYS, lifetimes=()),
    Facts(pattern=r"moonshot.*thinking", thinks=Thinks.ALWAYS, mantle=("chat",), lifetimes=()),
    Facts(pattern=r"minimax\.", thinks=Thinks.ALWAYS, mantle=("chat",), lifetimes=()),
    Facts(pattern=r"mistral\.magistral", thinks=Thinks.UNASKED, mantle=("chat",), lifetimes=()),
    Facts(pattern=r"(google|qwen|moonshot(ai)?|nvidia|mistral)\.", mantle=("chat",), lifetimes=()),
    Facts(pattern=r"amazon\.nova-2", thinks=Thinks.ASKED, way=Way.NOVA, efforts=_TO_HIGH, lifetimes=_SHORT),
    Facts(pattern=r"amazon\.nova", lifetimes=_SHORT),
    Facts(pattern=r"(amazon|meta|cohere|ai21|writer)\.", lifetimes=()),
)
"""The first that matches counts."""

_ANY = ("converse", "invoke", "messages", "responses", "chat")
UNKNOWN = Facts(pattern="", runtime=_ANY, mantle=_ANY)
"""What is assumed of a model that the table does not know: nothing is ruled out."""
OPAQUE = Facts(pattern="", runtime=("converse", "invoke"))
"""An ARN that does not tell its model: only Bedrock's own APIs take it."""

_BY_PROFILE = re.compile(
    r"anthropic\.claude-(fable|mythos|(opus|sonnet|haiku)-([5-9]|4-[1-9]\b))|openai\.gpt-([5-9]|daybreak)|xai\.grok-(4\.[6-9]|[5-9])"
    r"|amazon\.nova-2|meta\.llama(4|3-3)|moonshotai\.kimi-k3|zai\.glm-5\.3|deepseek\.r1|writer\."
)


def wants_profile(model_id: str) -> bool:
    """Whether bedrock-runtime is known to serve this id only through a cross-Region profile, whose prefix it lacks."""
    return _BY_PROFILE.match(model_id) is not None


_NO_TEXT = re.compile(r"embed|rerank|canvas|reel|sonic|image|stability\.|luma\.|\.ray-|upscale|tts|speech")


def makes_text(model_id: str) -> bool:
    """Whether a model may answer a prompt with text, as far as its id tells."""
    return _NO_TEXT.search((bare_id(model_id) or "").lower()) is None


_GEO = re.compile(r"^(us-gov|[a-z]{2}|apac|global)\.(?=[a-z0-9-]+\.)")


def geo_of(model_id: str) -> str:
    """The prefix of a cross-Region inference profile (``us.``, ``global.``), "" when the id has none."""
    found = _GEO.match(model_id)
    return found[0] if found else ""


def bare_id(model_id: str) -> str | None:
    """The id of the model itself, without ARN and cross-Region prefix; None for an ARN that does not tell it."""
    if not model_id.startswith("arn:"):
        return model_id.removeprefix(geo_of(model_id))
    kind, _, name = model_id.split(":", 5)[-1].partition("/")
    if kind not in ("inference-profile", "foundation-model"):
        return None
    return name.removeprefix(geo_of(name))


def facts_of(model_id: str) -> Facts:
    """What is known of a model by its id."""
    bare = bare_id(model_id)
    if bare is None:
        return OPAQUE
    return next((facts for facts in TABLE if re.match(facts.pattern, bare)), UNKNOWN)


def default_max_tokens(model_id: str, thinking: str | int | None, effort: str | None) -> tuple[int, str | None]:
    """(``max_tokens`` where the configuration does not say, why it is more than the usual; None: it is the usual)."""
    if isinstance(thinking, int):
        return thinking + ROOM_AFTER_BUDGET, f"a thinking budget of {thinking}, and room for an answer"
    thinks = facts_of(model_id).thinks
    if thinks is Thinks.ALWAYS or thinking == "on" or effort not in (None, "none"):
        return THINKING_MAX_TOKENS, "the model thinks, and thinking counts"
    if thinks is Thinks.UNASKED and thinking != "off" and effort != "none":
        return THINKING_MAX_TOKENS, "the model thinks unless it is asked not to, and thinking counts"
    return DEFAULT_MAX_TOKENS, None
