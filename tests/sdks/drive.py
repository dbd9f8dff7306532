"""Drives the simulator through the real SDKs of OpenAI and Anthropic, in an environment of their own; prints what each call gave.

``python drive.py URL``. It imports nothing of this project.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ |= {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_REGION": "us-east-1"}

import anthropic
import openai
from openai.providers import bedrock

OPUS = "us.anthropic.claude-opus-5-5"
CLAUDE, GPT, OSS = "us.anthropic.claude-haiku-4-5-20251001-v1:0", "us.openai.gpt-6-sol", "openai.gpt-oss-120b-1:0"
ASK = [{"role": "user", "content": "Tell me of the harbour."}]
Said = dict[str, Any]


def openai_clients(url: str) -> dict[str, Any]:
    """OpenAI's client with a key, and its Bedrock provider for both of Bedrock's services, signing by SigV4."""
    options: dict[str, Any] = {"max_retries": 0, "timeout": 20}
    base = f"{url}/openai/v1"
    return {
        "openai": openai.OpenAI(base_url=base, api_key="a key", **options),
        "openai bedrock runtime": openai.OpenAI(
            provider=bedrock(endpoint="runtime", base_url=base, region="us-east-1"), **options
        ),
        "openai bedrock mantle": openai.OpenAI(provider=bedrock(endpoint="mantle", base_url=base, region="us-east-1"), **options),
    }


def anthropic_clients(url: str) -> dict[str, Any]:
    """Anthropic's client with a key, its Bedrock client (InvokeModel's paths), and its client for bedrock-mantle."""
    options: dict[str, Any] = {"max_retries": 0, "timeout": 20}
    return {
        "anthropic": anthropic.Anthropic(base_url=f"{url}/anthropic", api_key="a key", **options),
        "anthropic bedrock": anthropic.AnthropicBedrock(base_url=url, aws_region="us-east-1", **options),
        "anthropic mantle": anthropic.AnthropicBedrockMantle(base_url=f"{url}/anthropic", aws_region="us-east-1", **options),
    }


def chat_whole(client: Any, model: str) -> Said:
    done = client.chat.completions.create(model=model, messages=ASK, max_completion_tokens=30)
    return {"text": done.choices[0].message.content, "in": done.usage.prompt_tokens, "out": done.usage.completion_tokens}


def chat_stream(client: Any, model: str) -> Said:
    text, usage = "", None
    options = {"include_usage": True}
    for chunk in client.chat.completions.create(
        model=model, messages=ASK, max_completion_tokens=30, stream=True, stream_options=options
    ):
        usage = chunk.usage or usage
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
    return {"text": text, "in": usage and usage.prompt_tokens, "out": usage and usage.completion_tokens}


def responses_whole(client: Any, model: str) -> Said:
    done = client.responses.create(model=model, input=ASK, max_output_tokens=30, store=False)
    return {"text": done.output_text, "in": done.usage.input_tokens, "out": done.usage.output_tokens}


def responses_stream(client: Any, model: str) -> Said:
    with client.responses.stream(model=model, input=ASK, max_output_tokens=30, store=False) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        done = stream.get_final_response()
    assert done.output_text == text, (done.output_text, text)
    return {"text": text, "in": done.usage.input_tokens, "out": done.usage.output_tokens}


def messages_whole(client: Any, model: str) -> Said:
    done = client.messages.create(model=model, messages=ASK, max_tokens=30)
    text = "".join(block.text for block in done.content if block.type == "text")
    return {"text": text, "in": done.usage.input_tokens, "out": done.usage.output_tokens}


def messages_stream(client: Any, model: str) -> Said:
    with client.messages.stream(model=model, messages=ASK, max_tokens=30) as stream:
        text = "".join(stream.text_stream)
        done = stream.get_final_message()
    assert "".join(block.text for block in done.content if block.type == "text") == text
    return {"text": text, "in": done.usage.input_tokens, "out": done.usage.output_tokens}


def count(client: Any, model: str) -> Said:
    return {"in": client.messages.count_tokens(model=model, messages=ASK).input_tokens}


def models(client: Any, model: str) -> Said:
    """The ids of the list, one of them asked for by itself, and the word for one that is not there."""
    ids = [each.id for each in client.models.list()]
    try:
        client.models.retrieve("no-such-model")
    except Exception as error:
        return {"ids": ids, "one": client.models.retrieve(model).id, "missing": type(error).__name__}
    return {"ids": ids}


SYSTEM = {"role": "system", "content": "Be brief."}
SPOKEN = [
    *ASK,
    {"role": "assistant", "content": "It is old."},
    {"role": "user", "content": [{"type": "text", "text": "How old?"}]},
]
SHAPE = {"type": "object", "properties": {"name": {"type": "string"}}}
FUNCTION = {"type": "function", "function": {"name": "look", "description": "Look it up.", "parameters": SHAPE}}
CALLED = [
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": FUNCTION["function"] | {"arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "1602"},
]
USED = [
    *ASK,
    {
        "role": "assistant",
        "content": [{"type": "text", "text": "I look."}, {"type": "tool_use", "id": "t1", "name": "look", "input": {}}],
    },
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "1602"}, {"type": "text", "text": "Go on."}],
    },
]
TOOLS = [{"name": "look", "description": "Look it up.", "input_schema": SHAPE}]
CACHED = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]


def chat_variants(client: Any) -> dict[str, Callable[[], Any]]:
    """Chat Completions as applications ask it."""
    create = partial(client.chat.completions.create, model=OSS, max_completion_tokens=20)
    return {
        "system and turns": lambda: create(messages=[SYSTEM, *SPOKEN]).usage,
        "developer": lambda: create(model=GPT, messages=[{"role": "developer", "content": "Be brief."}, *ASK]).usage,
        "tools": lambda: create(messages=[*ASK, *CALLED], tools=[FUNCTION], tool_choice="auto").choices[0],
        "json": lambda: create(messages=[SYSTEM, *ASK], response_format={"type": "json_object"}).choices[0],
        "sampling": lambda: create(messages=ASK, temperature=0.5, top_p=0.9, seed=1, stop=["zz"], user="me").choices[0],
        "effort": lambda: create(model=GPT, messages=ASK, reasoning_effort="low").usage,
        "no limit": lambda: client.chat.completions.create(model=OSS, messages=ASK).usage,
        "stream without usage": lambda: [chunk.id for chunk in create(messages=ASK, stream=True)][-1],
    }


def responses_variants(client: Any) -> dict[str, Callable[[], Any]]:
    """Responses as applications ask it."""
    create = partial(client.responses.create, model=GPT, max_output_tokens=400)
    function = {"type": "function", "name": "look", "parameters": SHAPE, "strict": False}
    called = [{"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}]
    given = [{"type": "function_call_output", "call_id": "c", "output": "1602"}]
    parts = [{"role": "developer", "content": "x"}, {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]
    return {
        "text and instructions": lambda: create(input="Hi", instructions="Be brief.").usage,
        "parts and effort": lambda: create(input=parts, reasoning={"effort": "low"}, text={"format": {"type": "text"}}).usage,
        "tools": lambda: create(input=[*ASK, *called, *given], tools=[function]).status,
        "plain stream": lambda: [event.type for event in create(input="Hi", stream=True)].index("response.completed"),
    }


def messages_variants(client: Any) -> dict[str, Callable[[], Any]]:
    """Messages as applications ask it."""
    create = partial(client.messages.create, model=CLAUDE, max_tokens=20)
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000}
    return {
        "system": lambda: create(system="Be brief.", messages=ASK).usage,
        "system that is cached": lambda: create(system=CACHED, messages=ASK).usage,
        "tools": lambda: create(messages=USED, tools=TOOLS, tool_choice={"type": "auto"}).stop_reason,
        "thinking": lambda: create(messages=ASK, **thinking).usage,
        "plain stream": lambda: [event.type for event in create(messages=USED, stream=True)].index("message_stop"),
        "effort": lambda: create(model=OPUS, messages=ASK, output_config={"effort": "low"}).stop_reason,
        "beta": lambda: (
            client.beta.messages.create(model=CLAUDE, messages=ASK, max_tokens=20, betas=["context-1m-2025-08-07"]).usage
        ),
    }


def tell(client: str, way: str, fault: str, call: Callable[[], Said]) -> None:
    """Print what the call gave, or the SDK's own word for what was wrong."""
    try:
        said = call()
    except Exception as error:
        said = {"error": type(error).__name__, "status": getattr(error, "status_code", None), "message": str(error)[:300]}
    print(json.dumps({"client": client, "way": way, "fault": fault} | said))


def gave(ask: Callable[[], Any]) -> Said:
    """What a call gave, as text."""
    return {"gave": str(ask())}


OPENAI = {"chat": chat_whole, "chat stream": chat_stream, "responses": responses_whole, "responses stream": responses_stream}
ANTHROPIC = {"messages": messages_whole, "messages stream": messages_stream}


def main(url: str) -> None:
    """Every way of every client, on models that are healthy, throttled and cut, and on one that thinks."""
    anthropics, openais = anthropic_clients(url), openai_clients(url)
    for fault in ("", "throttled", "cut", "told", "thinks"):
        for name, client in openais.items():
            for way, do in OPENAI.items():
                tell(name, way, fault, partial(do, client, fault or (OSS if way.startswith("chat") else GPT)))
        for name, client in anthropics.items():
            for way, do in ANTHROPIC.items():
                tell(name, way, fault, partial(do, client, fault or CLAUDE))
    variants = [(name, "chat", chat_variants(client)) for name, client in openais.items()]
    variants += [(name, "responses", responses_variants(client)) for name, client in openais.items()]
    variants += [(name, "messages", messages_variants(client)) for name, client in anthropics.items()]
    for name, api, ways in variants:
        for way, ask in ways.items():
            tell(name, f"{api} variant: {way}", "", partial(gave, ask))
    for name in ("anthropic", "anthropic mantle"):
        tell(name, "count", "", partial(count, anthropics[name], CLAUDE))
    for name, client in openais.items():
        tell(name, "models", "", partial(models, client, GPT))
    tell("anthropic", "models", "", partial(models, anthropics["anthropic"], CLAUDE))


if __name__ == "__main__":
    main(sys.argv[1])
