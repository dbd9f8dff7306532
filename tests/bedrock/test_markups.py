"""How prompts are marked up is named, read from the id, or asked of the account; it is never guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fmbench.bedrock.account import Account
from fmbench.bedrock.caller import Caller, Endpoint
from fmbench.config.load import LoadedConfig
from fmbench.config.schema import Config, Inference, Model, Timeouts
from fmbench.core.failures import UnusableInput
from fmbench.core.records import Prompt
from fmbench.run.families import with_families
from tests.bedrock.test_preflight import Stubs, profile

REGION = "us-east-1"
APPLICATION = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcd1234efgh"
PROVISIONED = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcd1234efgh"
IMPORTED = "arn:aws:bedrock:us-east-1:111122223333:imported-model/abcd1234efgh"

# As Meta and Mistral publish them: llama.com/docs (model cards of 3.1 and 4), docs.mistral.ai (tokenization).
LLAMA_3 = (
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
)
LLAMA_4 = "<|begin_of_text|><|header_start|>user<|header_end|>\n\nHi<|eot|><|header_start|>assistant<|header_end|>\n\n"
INSTRUCT = "<s>[INST] Hi [/INST]"


def body(model_id: str, family: str | None) -> dict[str, Any]:
    """The body that InvokeModel would be sent for the prompt ``Hi``."""
    model = Model(id=model_id, api="invoke", family=family)
    caller = Caller(model, Inference(), REGION, Timeouts(), 1, endpoint=Endpoint("http://127.0.0.1:9"))
    prepared = caller.prepare(Prompt(prompt_id="1", text="Hi", tokens=1, dataset="", language="en"), salted=False)
    return dict(json.loads(prepared.body(None)))


@pytest.mark.parametrize(
    ("model_id", "family", "prompt"),
    [
        (APPLICATION, "llama3", LLAMA_3),
        (APPLICATION, "llama4", LLAMA_4),
        (APPLICATION, "mistral-instruct", INSTRUCT),
        (APPLICATION, "mistral-chat", None),
        (IMPORTED, "llama3", LLAMA_3),
        ("meta.llama3-1-8b-instruct-v1:0", None, LLAMA_3),
        ("us.meta.llama4-maverick-17b-instruct-v1:0", None, LLAMA_4),
        ("us.meta.llama4-maverick-17b-instruct-v1:0", "llama", LLAMA_4),
        ("arn:aws:bedrock:us-east-1::foundation-model/meta.llama4-scout-17b-instruct-v1:0", None, LLAMA_4),
        ("arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.meta.llama4-scout-17b-instruct-v1:0", "llama", LLAMA_4),
        ("mistral.mixtral-8x7b-instruct-v0:1", None, INSTRUCT),
        ("us.mistral.pixtral-large-2502-v1:0", None, None),
        ("mistral.mistral-large-2402-v1:0", "mistral-chat", None),
        ("meta.llama3-1-8b-instruct-v1:0", "llama4", LLAMA_4),
    ],
)
def test_a_markup_is_the_named_one_or_that_of_the_id(model_id: str, family: str | None, prompt: str | None):
    sent = body(model_id, family)
    assert sent.get("prompt") == prompt
    assert sent.get("messages") == (None if prompt else [{"role": "user", "content": "Hi"}])


@pytest.mark.parametrize("model_id", [APPLICATION, PROVISIONED, IMPORTED, "us.meta.llama5-herd-v1:0"])
@pytest.mark.parametrize(
    ("family", "cures"), [("llama", "llama3 | llama4"), ("mistral", "mistral-instruct | mistral-chat"), (None, "")]
)
def test_an_id_that_does_not_tell_is_refused_with_the_names(model_id: str, family: str | None, cures: str):
    if family == "mistral" and "llama" in model_id:
        pytest.skip("it is no Mistral model")
    with pytest.raises(UnusableInput, match="family: ") as caught:
        body(model_id, family)
    assert cures in str(caught.value)


def told(stubs: Stubs, *models: dict[str, Any], **more: Any) -> list[str | None]:
    config = Config.model_validate({"region": REGION, "models": list(models), **more})
    with stubs.stubs["bedrock"] as stub:
        loaded = with_families(
            LoadedConfig(config, "cfg.yml", []), lambda region: Account(region, lambda service, _: stubs.clients[service])
        )
        stub.assert_no_pending_responses()
    return [model.family for model in loaded.config.models]


@pytest.mark.parametrize(
    ("behind", "family"),
    [
        ("meta.llama4-scout-17b-instruct-v1:0", "llama4"),
        ("meta.llama3-3-70b-instruct-v1:0", "llama3"),
        ("mistral.mistral-7b-instruct-v0:2", "mistral-instruct"),
        ("mistral.pixtral-large-2502-v1:0", "mistral-chat"),
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic"),
        ("newcomer.model-1", None),
    ],
)
def test_an_application_profile_is_asked_what_it_leads_to(behind: str, family: str | None):
    stubs = Stubs()
    stubs.says("bedrock", "get_inference_profile", profile("abcd1234efgh", behind))
    assert told(stubs, {"id": APPLICATION, "api": "invoke-stream"}) == [family]


def test_a_named_family_that_leaves_its_markup_open_is_asked_too():
    stubs = Stubs()
    stubs.says("bedrock", "get_inference_profile", profile("abcd1234efgh", "meta.llama4-scout-17b-instruct-v1:0"))
    assert told(stubs, {"id": APPLICATION, "api": "invoke", "family": "llama"}) == ["llama4"]


def test_nothing_is_asked_where_nothing_is_open_or_the_target_is_not_aws():
    named = {"id": APPLICATION, "api": "invoke", "family": "llama3"}
    converse = {"id": APPLICATION.replace("abcd", "efgh"), "api": "converse-stream"}
    assert told(Stubs(), named, converse, {"id": "us.meta.llama4-scout-17b-instruct-v1:0", "api": "invoke"}) == [
        "llama3",
        None,
        None,
    ]
    assert told(Stubs(), {"id": APPLICATION, "api": "invoke"}, simulator={}) == [None]


def test_what_may_not_be_asked_is_left_open_and_then_refused():
    stubs = Stubs()
    stubs.refuses("bedrock", "get_inference_profile", "AccessDeniedException")
    assert told(stubs, {"id": APPLICATION, "api": "invoke", "family": "llama"}) == ["llama"]
