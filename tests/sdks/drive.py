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


def tell(client: str, way: str, fault: str, call: Callable[[], Said]) -> None:
    """Print what the call gave, or the SDK's own word for what was wrong."""
    try:
        said = call()
    except Exception as error:
        said = {"error": type(error).__name__, "status": getattr(error, "status_code", None), "message": str(error)[:300]}
    print(json.dumps({"client": client, "way": way, "fault": fault} | said))


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
    for name in ("anthropic", "anthropic mantle"):
        tell(name, "count", "", partial(count, anthropics[name], CLAUDE))


if __name__ == "__main__":
    main(sys.argv[1])
