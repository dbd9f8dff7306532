"""What is sent for ``effort``, ``thinking`` and ``null`` in each API's own form, and what is refused before anything is sent."""

# ruff: noqa: E501
from __future__ import annotations

import json
from typing import Any

import pytest

from fmbench.bedrock.caller import Caller, Endpoint
from fmbench.config.load import parse_config, resolved_yaml, stored_config
from fmbench.config.schema import CachePoints, Inference, Model, Timeouts
from fmbench.core.failures import UnusableInput
from tests.bedrock.asking import prompt

HAIKU, OPUS, SONNET = (
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "us.anthropic.claude-opus-5",
    "us.anthropic.claude-sonnet-5-5",
)


def body(model_id: str, api: str, endpoint: str = "runtime", **inference: Any) -> dict[str, Any]:
    """The JSON of a request."""
    model = Model(id=model_id, api=api, endpoint=endpoint)  # type: ignore[arg-type]
    caller = Caller(model, Inference(**inference), "us-east-1", Timeouts(), 1, endpoint=Endpoint("http://127.0.0.1:9"))
    return dict(json.loads(caller.prepare(prompt(), salted=False).body(None)))


def sent(model_id: str, api: str, **inference: Any) -> dict[str, Any]:
    """What of a request speaks of thinking."""
    keys = ("thinking", "output_config", "outputConfig", "additionalModelRequestFields", "reasoning", "reasoning_effort")
    return {key: value for key, value in body(model_id, api, **inference).items() if key in keys}


CASES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    (HAIKU, "messages", {"thinking": 2000}, {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
    (HAIKU, "invoke-stream", {"thinking": 2000}, {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
    (HAIKU, "converse-stream", {"thinking": 2000}, {"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}}}),
    (HAIKU, "messages", {"thinking": "on"}, {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
    (OPUS, "messages", {"thinking": "on", "effort": "high"}, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
    (OPUS, "converse", {"thinking": "off"}, {"additionalModelRequestFields": {"thinking": {"type": "disabled"}}}),
    (OPUS, "converse-stream", {"effort": "max"}, {"outputConfig": {"effort": "max"}}),
    (SONNET, "messages-whole", {"thinking": "off"}, {"thinking": {"type": "between_tools"}}),
    ("us.openai.gpt-6-sol", "responses", {"effort": "low"}, {"reasoning": {"effort": "low"}}),
    ("us.openai.gpt-6-sol", "responses", {"thinking": "off"}, {"reasoning": {"effort": "none"}}),
    ("us.openai.gpt-6-sol", "chat", {"thinking": "on"}, {"reasoning_effort": "medium"}),
    ("us.openai.gpt-6-sol", "converse-stream", {"effort": "low"}, {"additionalModelRequestFields": {"reasoning": {"effort": "low"}}}),
    ("openai.gpt-oss-20b-1:0", "converse", {"effort": "low"}, {"additionalModelRequestFields": {"reasoning_effort": "low"}}),
    ("qwen.qwen3-32b-v1:0", "converse", {"thinking": "on"}, {"additionalModelRequestFields": {"reasoning_config": "high"}}),
    ("deepseek.v3.2", "converse", {"thinking": "off"}, {}),
    ("us.amazon.nova-2-lite-v1:0", "converse", {"effort": "low"},
     {"additionalModelRequestFields": {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}}),
    (HAIKU, "messages", {}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("model_id", "api", "inference", "expected"), CASES)
def test_thinking_in_each_apis_form(model_id: str, api: str, inference: dict[str, Any], expected: dict[str, Any]) -> None:
    assert sent(model_id, api, **inference) == expected


def test_common_parameters_in_each_apis_form() -> None:
    given: dict[str, Any] = {"max_tokens": 7, "temperature": 0.5, "top_p": 0.9, "stop_sequences": ["x"], "system": "s"}
    text = prompt().text
    assert body(HAIKU, "messages", **given) == {
        "model": HAIKU, "stream": True, "max_tokens": 7, "temperature": 0.5, "top_p": 0.9, "stop_sequences": ["x"], "system": "s",
        "messages": [{"role": "user", "content": text}],
    }  # fmt: skip
    assert body("openai.gpt-oss-20b-1:0", "chat", **given) == {
        "model": "openai.gpt-oss-20b-1:0", "stream": True, "stream_options": {"include_usage": True}, "max_completion_tokens": 7,
        "temperature": 0.5, "top_p": 0.9, "stop": ["x"],
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": text}],
    }  # fmt: skip
    del given["stop_sequences"]
    assert body("us.openai.gpt-6-sol", "responses-whole", **given) == {
        "model": "us.openai.gpt-6-sol", "max_output_tokens": 7, "temperature": 0.5, "top_p": 0.9, "instructions": "s",
        "input": [{"role": "user", "content": text}], "store": False,
    }  # fmt: skip


def test_the_bodies_of_chat_completions_on_invoke_model() -> None:
    given: dict[str, Any] = {"max_tokens": 7, "temperature": 0.5, "stop_sequences": ["x"], "system": "s", "effort": "low"}
    spoken = [{"role": "system", "content": "s"}, {"role": "user", "content": prompt().text}]
    asked = {"messages": spoken, "temperature": 0.5, "stop": ["x"]}
    oss = body("openai.gpt-oss-20b-1:0", "invoke-stream", **given)
    assert oss == asked | {"max_completion_tokens": 7, "reasoning_effort": "low"}
    assert body("qwen.qwen3-32b-v1:0", "invoke", **given) == asked | {"max_tokens": 7, "reasoning_config": "low"}
    assert body("zai.glm-5", "invoke", **given) == asked | {"max_tokens": 7, "reasoning_effort": "low"}
    del given["effort"]
    for model_id in ("moonshotai.kimi-k2.5", "minimax.minimax-m2.5", "nvidia.nemotron-nano-9b-v2", "us.writer.palmyra-x5-v1:0"):
        assert body(model_id, "invoke", **given) == asked | {"max_tokens": 7}
    text = f"<｜begin▁of▁sentence｜>s<｜User｜>{prompt().text}<｜Assistant｜>"  # noqa: RUF001
    assert body("us.deepseek.r1-v1:0", "invoke", **given) == {"prompt": text, "max_tokens": 7, "temperature": 0.5, "stop": ["x"]}


REFUSED = [
    (HAIKU, "chat", "runtime", "messages"),
    ("us.amazon.nova-lite-v1:0", "messages", "runtime", "converse-stream"),
    ("us.meta.llama3-3-70b-instruct-v1:0", "responses", "runtime", "converse-stream"),
    ("openai.gpt-oss-120b-1:0", "responses", "runtime", "chat"),
    ("google.gemma-4-27b-it", "converse-stream", "runtime", "responses with endpoint: mantle"),
    ("openai.gpt-5.4", "converse", "runtime", "responses"),
    (HAIKU, "messages", "mantle", "anthropic.claude-haiku-4-5-20251001-v1:0"),
    ("anthropic.claude-opus-5-5", "converse-stream", "mantle", "messages"),
    ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", "chat", "runtime", "converse-stream"),
]


@pytest.mark.parametrize(("model_id", "api", "endpoint", "cure"), REFUSED)
def test_a_model_that_an_api_cannot_carry_is_refused_with_the_one_that_can(
    model_id: str, api: str, endpoint: str, cure: str
) -> None:
    with pytest.raises(UnusableInput) as refused:
        body(model_id, api, endpoint)
    assert model_id in str(refused.value) and cure in str(refused.value)


@pytest.mark.parametrize(
    ("model_id", "api", "inference", "names"),
    [
        ("us.openai.gpt-6-sol", "chat", {"thinking": 2000}, "effort"),
        (HAIKU, "messages", {"thinking": 2000, "max_tokens": 100}, "max_tokens"),
        ("us.meta.llama3-3-70b-instruct-v1:0", "converse", {"thinking": "on"}, "additional_model_request_fields"),
        ("us.meta.llama3-3-70b-instruct-v1:0", "invoke", {"effort": "low"}, "converse-stream"),
        (HAIKU, "messages", {"performance_config": {"latency": "optimized"}}, "performance_config"),
        ("us.openai.gpt-6-sol", "responses", {"stop_sequences": ["a"]}, "chat"),
    ],
)
def test_a_parameter_without_a_place_is_refused(model_id: str, api: str, inference: dict[str, Any], names: str) -> None:
    with pytest.raises(UnusableInput, match=names):
        body(model_id, api, **inference)


POSTED = [("messages", HAIKU), ("responses", "us.openai.gpt-6-sol"), ("chat", "openai.gpt-oss-20b-1:0")]
OF_CONVERSE: list[dict[str, Any]] = [
    {"guardrail": {"guardrailIdentifier": "g", "guardrailVersion": "1"}},
    {"performance_config": {"latency": "optimized"}},
]


@pytest.mark.parametrize("form", ["", "-whole"])
@pytest.mark.parametrize("inference", OF_CONVERSE, ids=lambda inference: next(iter(inference)))
@pytest.mark.parametrize(("api", "model_id"), POSTED)
def test_what_only_bedrock_s_own_apis_have_is_refused_with_the_api_that_has_it(
    api: str, model_id: str, inference: dict[str, Any], form: str
) -> None:
    with pytest.raises(UnusableInput) as refused:
        body(model_id, api + form, **inference)
    said = str(refused.value)
    assert next(iter(inference)) in said and f"api {api}{form}" in said and "use api: converse-stream" in said


def test_on_mantle_the_cure_is_not_an_api_that_mantle_lacks() -> None:
    with pytest.raises(UnusableInput, match="endpoint: runtime"):
        body("anthropic.claude-haiku-4-5", "messages", "mantle", **OF_CONVERSE[0])


@pytest.mark.parametrize(("api", "model_id"), POSTED)
@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_boto3_s_retries_are_refused_where_boto3_has_no_operation(api: str, model_id: str, mode: str) -> None:
    text = f"models: [{{id: {model_id}, api: {api}}}]\nload: {{retry: {{mode: {mode}}}}}"
    with pytest.raises(UnusableInput) as refused:
        parse_config(text, "cfg.yml")
    assert all(word in str(refused.value) for word in (api, mode, "converse-stream", "mode: ours"))


@pytest.mark.parametrize(("api", "model_id"), POSTED[1:])
def test_cache_points_have_no_place_in_openai_s_apis(api: str, model_id: str) -> None:
    model = Model(id=model_id, api=api)
    points = CachePoints(points=["context"])
    caller = Caller(model, Inference(), "us-east-1", Timeouts(), 1, endpoint=Endpoint("http://127.0.0.1:9"), points=points)
    with pytest.raises(UnusableInput, match=r"converse-stream or messages"):
        caller.prepare(prompt(), salted=False)


def test_null_takes_a_common_parameter_away_also_after_the_run_was_stored() -> None:
    text = "models:\n- {id: a, inference: {temperature: null, max_tokens: null}}\n- {id: b}\ninference: {temperature: 0.0, max_tokens: 9}"
    config = parse_config(text, "cfg.yml").config
    for read in (config, stored_config(resolved_yaml(config), "config.yml")):
        first, second = (model.asked(read.inference) for model in read.models)
        assert (first.temperature, first.max_tokens, second.temperature, second.max_tokens) == (None, 128, 0.0, 9)


def test_the_services_are_signed_for_by_their_names() -> None:
    for endpoint, name, model_id in (("runtime", "bedrock", HAIKU), ("mantle", "bedrock-mantle", "anthropic.claude-haiku-4-5")):
        model = Model(id=model_id, api="messages", endpoint=endpoint)  # type: ignore[arg-type]
        caller = Caller(model, Inference(), "us-east-1", Timeouts(), 1, endpoint=Endpoint("http://127.0.0.1:9"))
        prepared = caller.prepare(prompt(), salted=False)
        for _ in range(2):  # by botocore, then by the template that it left
            head = prepared.envelope.seal(prepared.body(None)).decode("latin-1").split("\r\n\r\n")[0]
            assert f"/us-east-1/{name}/aws4_request" in head
            assert head.startswith("POST /anthropic/v1/messages HTTP/1.1\r\n")
            assert "anthropic-version: 2023-06-01" in head


@pytest.mark.parametrize("api", ["converse-stream", "converse", "invoke", "invoke-stream"])
def test_the_invocation_log_is_told_run_cell_and_worker(api: str) -> None:
    caller = Caller(Model(id=HAIKU, api=api), Inference(), "us-east-1", Timeouts(), 1, endpoint=Endpoint("http://127.0.0.1:9"))
    metadata = {"run": "nova|run", "cell": "3", "worker": "w0"}
    prepared = caller.prepare(prompt(), salted=False, metadata=metadata)
    expected = metadata | {"run": "nova_run"}
    if api.startswith("converse"):
        assert json.loads(prepared.body(None))["requestMetadata"] == expected
    else:
        head = prepared.envelope.seal(prepared.body(None)).decode("latin-1").split("\r\n\r\n")[0]
        values = [
            line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("x-amzn-bedrock-request-metadata:")
        ]
        assert [json.loads(value) for value in values] == [expected]
