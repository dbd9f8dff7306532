"""What models turn down by the reference page of November 2026, line by line: the dry run says it, the simulator does it."""

from __future__ import annotations

import json
from typing import Any

from fmbench.bedrock.caller import Caller, Endpoint
from fmbench.config.load import parse_config
from fmbench.config.schema import Inference, Model, Timeouts
from fmbench.core.failures import FailureKind
from tests.bedrock.asking import SALT, prompt
from tests.support.simulator import Endpoint as Simulated
from tests.support.simulator import running

CLAUDE = "us.anthropic.claude-"
SONNET_45, HAIKU_45 = f"{CLAUDE}sonnet-4-5-20250929-v1:0", f"{CLAUDE}haiku-4-5-20251001-v1:0"
OPUS_45 = f"{CLAUDE}opus-4-5-20251101-v1:0"
REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    (SONNET_45, "converse-stream", {"temperature": 0.5, "top_p": 0.9}, "temperature"),
    (HAIKU_45, "messages", {"temperature": 0.5, "top_p": 0.9}, "temperature"),
    (HAIKU_45, "messages", {"effort": "low"}, "effort"),
    (OPUS_45, "messages", {"effort": "max"}, "effort"),
    (f"{CLAUDE}opus-4-6-v1", "converse-stream", {"effort": "xhigh"}, "effort"),
    (f"{CLAUDE}sonnet-4-6", "invoke-stream", {"effort": "xhigh"}, "effort"),
    (f"{CLAUDE}opus-5", "messages", {"effort": "xhigh", "thinking": "off"}, "effort"),
    (f"{CLAUDE}haiku-5-5", "converse-stream", {"effort": "max", "thinking": "off"}, "effort"),
    (f"{CLAUDE}mythos-5-1", "messages", {"temperature": 0.0}, "temperature"),
    (f"{CLAUDE}fable-5", "messages", {"thinking": "off"}, "thinking"),
    ("us.openai.gpt-6-astra", "responses", {"effort": "none"}, "thinking"),
    ("us.openai.gpt-6.1-sol", "converse-stream", {"thinking": "off"}, "thinking"),
    ("us.openai.gpt-5.6-luna", "chat", {"stop_sequences": ["x"]}, "stop_sequences"),
    ("us.xai.grok-4.7", "chat", {"effort": "none"}, "thinking"),
    ("us.xai.grok-4.6", "chat", {"effort": "max"}, "effort"),
    ("openai.gpt-oss-120b-1:0", "chat", {"effort": "xhigh"}, "effort"),
    ("us.zai.glm-5.3", "converse-stream", {"effort": "none"}, "thinking"),
    ("us.amazon.nova-2-lite-v1:0", "converse-stream", {"effort": "max"}, "effort"),
]
TAKEN: list[tuple[str, str, dict[str, Any]]] = [
    (SONNET_45, "converse-stream", {"temperature": 0.5}),
    (HAIKU_45, "messages", {"top_p": 0.9, "thinking": 1024}),
    (OPUS_45, "messages", {"effort": "high"}),
    (f"{CLAUDE}sonnet-4-6", "converse-stream", {"effort": "max", "temperature": 0.5}),
    (f"{CLAUDE}opus-4-7", "messages", {"effort": "xhigh"}),
    (f"{CLAUDE}opus-5", "messages", {"effort": "high", "thinking": "off"}),
    (f"{CLAUDE}sonnet-5", "messages", {"effort": "max"}),
    (f"{CLAUDE}sonnet-5-5", "messages", {"thinking": "off"}),
    (f"{CLAUDE}mythos-5-1", "converse-stream", {"effort": "xhigh"}),
    ("us.openai.gpt-5.6-luna", "chat", {"effort": "none"}),
    ("us.openai.gpt-5.5", "responses", {"effort": "low"}),
    ("us.xai.grok-4.6", "converse-stream", {"effort": "xhigh"}),
    ("mistral.magistral-small-2509", "converse-stream", {"temperature": 0.5}),
    ("mistral.ministral-3-14b-instruct", "invoke-stream", {"temperature": 0.5}),
    ("us.moonshotai.kimi-k3", "converse-stream", {}),
    ("zai.glm-4.7", "converse-stream", {"effort": "high"}),
    ("qwen.qwen3-vl-235b-a22b", "converse-stream", {"thinking": "on"}),
    ("us.amazon.nova-2-lite-v1:0", "invoke-stream", {"temperature": 0.5}),
]
MANTLE: list[tuple[str, str, dict[str, Any], str]] = [
    ("google.gemma-4-31b", "responses", {"temperature": 0.5}, "temperature"),
    ("google.gemma-4-31b", "responses", {"effort": "xhigh"}, "effort"),
    ("google.gemma-4-31b", "responses", {"effort": "none"}, ""),
    ("google.gemma-4-31b", "chat", {"temperature": 0.5}, ""),
    ("xai.grok-4.3", "chat", {"effort": "low"}, ""),
    ("xai.grok-4.3", "responses", {}, ""),
]
CASES = [
    *((model, api, "runtime", given, name) for model, api, given, name in REFUSED),
    *((model, api, "runtime", given, "") for model, api, given in TAKEN),
    *((model, api, "mantle", given, name) for model, api, given, name in MANTLE),
]


def test_each_line_by_the_dry_run_and_by_the_simulator() -> None:
    with running({"profile": {"ttft_s": 0.0, "tpot_s": 0.0, "output_tokens": 2}}) as endpoint:
        for case in CASES:
            model, api, service, given, name = case
            asked = {"models": [{"id": model, "api": api, "endpoint": service}], "inference": {"max_tokens": 2048} | given}
            said = parse_config(json.dumps(asked), "cfg.yml").warnings
            assert [line for line in said if "turned down" in line and f"inference.{name}" in line] != [] or not name, case
            assert name or not any("turned down" in line for line in said), (case, said)
            refused = answered(endpoint, Model(id=model, api=api, endpoint=service), given)  # type: ignore[arg-type]
            assert refused == (FailureKind.VALIDATION if name else None), case


def answered(endpoint: Simulated, model: Model, given: dict[str, Any]) -> FailureKind | None:
    inference = Inference(**{"max_tokens": 2048} | given)
    caller = Caller(model, inference, "us-east-1", Timeouts(), 1, endpoint=Endpoint(endpoint.url))
    exchange = caller.call(caller.prepare(prompt(), salted=True), SALT)
    caller.close()
    return exchange.failure


def test_sonnet_5_5_is_kept_from_thinking_between_tools_alone() -> None:
    with running({"profile": {"ttft_s": 0.0, "output_tokens": 2}}) as endpoint:
        for kind, word in (("disabled", FailureKind.VALIDATION), ("between_tools", None)):
            fields = {"additional_model_request_fields": {"thinking": {"type": kind}}}
            assert answered(endpoint, Model(id=f"{CLAUDE}sonnet-5-5", api="messages"), fields) is word
