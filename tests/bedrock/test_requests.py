"""What goes over the wire: boto3's own request, salted, with a signature that verifies by the specification."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from fmbench.bedrock import client as client_module
from fmbench.bedrock.caller import Caller, Endpoint, check_credentials
from fmbench.config.schema import Inference, Model, Timeouts
from fmbench.core.failures import Refused, UnusableInput
from fmbench.prompts.payload import salted
from fmbench.simulator.tls import make_authority
from tests.bedrock import by_hand
from tests.bedrock.asking import NOVA, PROMPT, SALT, Ask, caller_for, here, prompt
from tests.bedrock.scripted_server import Request, Scripted, scripted

ANSWER = by_hand.streamed(by_hand.answer_frames())
EVERYTHING: dict[str, Any] = {
    "max_tokens": 64,
    "temperature": 0.25,
    "top_p": 0.5,
    "stop_sequences": ["END", "é"],
    "system": "Be brief.",
    "additional_model_request_fields": {"top_k": 5},
    "performance_config": {"latency": "optimized"},
    "service_tier": {"type": "flex"},
    "guardrail": {"guardrailIdentifier": "abc123", "guardrailVersion": "1", "trace": "enabled"},
}


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted(lambda connection, request: connection.sendall(ANSWER)) as running:
        yield running


@pytest.fixture
def fresh_session() -> Iterator[None]:
    """The process's AWS session is made again from the test's variables, and forgotten after it."""

    def forget() -> None:
        client_module.session.cache_clear()
        client_module._core.cache_clear()

    forget()
    yield
    forget()


def headers_of(request: Request) -> dict[str, str]:
    lines = request.head.split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def verify_signature(request: Request, secret: str) -> None:
    """Check a Signature Version 4 by its specification, from the bytes that arrived."""
    method, target, _ = request.head.split("\r\n")[0].split(" ")
    headers = headers_of(request)
    facts = dict(part.split("=", 1) for part in headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", "))
    date, region, service, ending = facts["Credential"].split("/")[1:]
    signed = facts["SignedHeaders"].split(";")
    lines = [f"{name}:{headers[name]}" for name in signed]
    path = target.replace("%", "%25")  # every byte of the path is encoded once more
    body_digest = hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join([method, path, "", *lines, "", ";".join(signed), body_digest])
    scope = "/".join([date, region, service, ending])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, ending):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    assert facts["Signature"] == hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    assert (service, ending, date) == ("bedrock", "aws4_request", headers["x-amz-date"][:8])
    assert {"host", "x-amz-date"} <= set(signed)


@pytest.mark.parametrize("text", ["plain", 'Grüße, 世界 \U0001f600 \u2028 \x00 "quoted" \\ back', "x" * 100_000])
@pytest.mark.parametrize("model_id", [NOVA, "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"])
def test_each_request_verifies_and_differs_by_its_salt(server: Scripted, text: str, model_id: str) -> None:
    caller = caller_for(Ask(server.url, model={"id": model_id}))
    prepared = caller.prepare(prompt(text), salted=True)
    salts = [f"{number:018d}" for number in range(4)]
    assert [caller.call(prepared, salt).failure for salt in salts] == [None] * 4
    for request, salt in zip(server.requests, salts, strict=True):
        verify_signature(request, "fmbench-local")
        body = json.loads(request.body)
        assert body["messages"][0]["content"][0]["text"] == salted(text, salt)
    ids = {headers_of(request)["amz-sdk-invocation-id"] for request in server.requests}
    assert len(ids) == 4


@pytest.mark.parametrize("api", ["converse-stream", "converse", "invoke-stream", "invoke"])
@pytest.mark.parametrize(
    "model_id",
    [
        NOVA,
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
    ],
)
def test_a_request_is_the_one_that_boto3_sends(server: Scripted, api: str, model_id: str) -> None:
    if not api.endswith("stream"):
        body = by_hand.counted(b'{"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}')
        server.script = lambda connection, request: connection.sendall(body)
    ask = Ask(server.url, model={"id": model_id, "api": api}, inference=EVERYTHING)
    caller = caller_for(ask)
    caller.call(caller.prepare(prompt(), salted=False), None)
    boto3_sends(server.url, api, model_id, server.requests[0].body)
    ours, theirs = server.requests
    assert ours.head.split("\r\n")[0] == theirs.head.split("\r\n")[0]
    assert json.loads(ours.body) == json.loads(theirs.body)
    mine, other = headers_of(ours), headers_of(theirs)
    own = {"user-agent", "amz-sdk-invocation-id", "amz-sdk-request", "x-amz-date", "authorization", "content-length"}
    assert {k: v for k, v in mine.items() if k not in own} == {k: v for k, v in other.items() if k not in own}
    assert int(mine["content-length"]) == len(ours.body)
    assert mine["user-agent"].startswith("fmbench-load/")


def boto3_sends(url: str, api: str, model_id: str, body: bytes) -> None:
    """The same call by boto3 alone, with arguments written down from its own documentation."""
    config = Config(retries={"total_max_attempts": 1}, signature_version="v4")
    keys = {"aws_access_key_id": "other", "aws_secret_access_key": "other"}
    client = boto3.client("bedrock-runtime", "us-east-1", endpoint_url=url, config=config, **keys)
    if api.startswith("invoke"):
        call: Callable[..., Any] = client.invoke_model_with_response_stream if api.endswith("stream") else client.invoke_model
        answer = call(
            modelId=model_id, body=body, contentType="application/json", accept="application/json", trace="ENABLED",
            guardrailIdentifier="abc123", guardrailVersion="1", performanceConfigLatency="optimized", serviceTier="flex",
        )  # fmt: skip
        list(answer["body"])
        return
    arguments: dict[str, Any] = {
        "modelId": model_id,
        "messages": [{"role": "user", "content": [{"text": PROMPT}]}],
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {"maxTokens": 64, "temperature": 0.25, "topP": 0.5, "stopSequences": ["END", "é"]},
        "additionalModelRequestFields": {"top_k": 5},
        "performanceConfig": {"latency": "optimized"},
        "serviceTier": {"type": "flex"},
        "guardrailConfig": EVERYTHING["guardrail"],
    }
    if api == "converse-stream":
        list(client.converse_stream(**arguments)["stream"])
    else:
        client.converse(**arguments)


def test_nothing_is_invented_but_max_tokens(server: Scripted) -> None:
    here(Ask(server.url, inference={}))
    body = json.loads(server.requests[0].body)
    assert body["inferenceConfig"] == {"maxTokens": 128}
    assert set(body) == {"messages", "inferenceConfig"}


def test_the_models_own_parameters_win_key_by_key() -> None:
    model = Model(id=NOVA, inference=Inference(max_tokens=5, top_p=0.1))
    merged = model.asked(Inference(max_tokens=50, temperature=0.0, system="s"))
    assert (merged.max_tokens, merged.top_p, merged.temperature, merged.system) == (5, 0.1, 0.0, "s")


@pytest.mark.parametrize(
    ("model", "inference", "says"),
    [
        ({"id": NOVA}, {"service_tier": {"type": 5}}, "serviceTier"),
        ({"id": NOVA}, {"performance_config": {"speed": "high"}}, "speed"),
        ({"id": "opaque-model", "api": "invoke"}, {}, "family"),
        ({"id": "meta.llama3-8b-instruct-v1:0", "api": "invoke"}, {"stop_sequences": ["x"]}, "stop_sequences"),
        ({"id": "amazon.titan-text-lite-v1", "api": "invoke-stream"}, {"system": "x"}, "system"),
        ({"id": NOVA, "api": "invoke"}, {"guardrail": {"streamProcessingMode": "sync"}}, "streamProcessingMode"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    server: Scripted, model: dict[str, Any], inference: dict[str, Any], says: str
) -> None:
    with pytest.raises(UnusableInput, match=says):
        here(Ask(server.url, model=model, inference=inference))
    assert server.requests == []


@pytest.mark.parametrize("salt", [None, "short", SALT + "1"])
def test_a_salt_that_does_not_fit_is_a_fault_of_the_program(server: Scripted, salt: str | None) -> None:
    caller = caller_for(Ask(server.url))
    with pytest.raises(ValueError, match="salt"):
        caller.call(caller.prepare(prompt(), salted=True), salt)
    with pytest.raises(ValueError, match="salt"):
        caller.call(caller.prepare(prompt(), salted=False), SALT)
    assert server.requests == []


def test_real_credentials_never_go_to_a_local_endpoint(
    server: Scripted, monkeypatch: pytest.MonkeyPatch, fresh_session: None
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALKEY")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "realtoken")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "realbearer")
    here(Ask(server.url, times=2))
    assert all("AKIAREALKEY" not in request.head and "real" not in request.head for request in server.requests)


def from_the_environment(ask: Ask | None = None) -> Caller:
    return Caller(Model(id=NOVA), Inference(), None, Timeouts(), 4, False, Endpoint())


def test_the_users_own_endpoint_and_keys_hold(server: Scripted, monkeypatch: pytest.MonkeyPatch, fresh_session: None) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "users-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "users-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "users-token")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "not-over-plain-http")
    check_credentials(None)
    caller = from_the_environment()
    prepared = caller.prepare(prompt(), salted=False)
    assert [caller.call(prepared, None).failure for _ in range(2)] == [None, None]
    for request in server.requests:
        verify_signature(request, "users-secret")
        headers = headers_of(request)
        assert "Credential=users-key/" in headers["authorization"] and "/eu-west-3/" in headers["authorization"]
        assert headers["x-amz-security-token"] == "users-token"
        assert "not-over-plain-http" not in request.head


def test_a_bearer_key_goes_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_session: None) -> None:
    authority, context = make_authority(tmp_path, "127.0.0.1")
    with scripted(lambda connection, request: connection.sendall(ANSWER), context) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "the-key")
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        check_credentials(None)
        caller = from_the_environment()
        prepared = caller.prepare(prompt(), salted=True)
        assert [caller.call(prepared, SALT).failure for _ in range(2)] == [None, None]
    assert [headers_of(request)["authorization"] for request in server.requests] == ["Bearer the-key"] * 2


def test_changed_credentials_are_used_at_once(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = caller_for(Ask(server.url))
    prepared = caller.prepare(prompt(), salted=False)
    caller.call(prepared, None)
    signer = prepared.envelope._serialised.signer
    monkeypatch.setattr(signer._credentials, "secret_key", "another-secret")
    caller.call(prepared, None)
    caller.call(prepared, None)
    verify_signature(server.requests[0], "fmbench-local")
    verify_signature(server.requests[1], "another-secret")
    verify_signature(server.requests[2], "another-secret")


def test_prompts_of_one_model_share_what_is_signed_once(server: Scripted) -> None:
    caller = caller_for(Ask(server.url))
    prepared = [caller.prepare(prompt(text), salted=False) for text in ("one", "another, longer")]
    assert prepared[0].envelope is prepared[1].envelope
    for call in (*prepared, *prepared):
        caller.call(call, None)
    for request, text in zip(server.requests, ["one", "another, longer"] * 2, strict=True):
        verify_signature(request, "fmbench-local")
        assert json.loads(request.body)["messages"][0]["content"][0]["text"] == text


ASK_TWICE_IN_TWO = """
import os, sys
from tests.bedrock.asking import Ask, here
child = os.fork()
here(Ask(sys.argv[1], times=2))
if child:
    sys.exit(os.waitpid(child, 0)[1])
"""


def test_processes_that_were_forked_name_their_requests_apart(server: Scripted) -> None:
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", ASK_TWICE_IN_TWO, server.url], check=True, timeout=60, cwd=root)
    assert len({headers_of(request)["amz-sdk-invocation-id"] for request in server.requests}) == len(server.requests) == 4


def test_a_proxy_is_used_as_boto3_would(server: Scripted, monkeypatch: pytest.MonkeyPatch, fresh_session: None) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://bedrock.example:8080")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    caller = from_the_environment()
    exchange = caller.call(caller.prepare(prompt(), salted=False), None)
    assert exchange.failure is None
    assert server.requests[0].head.startswith("POST http://bedrock.example:8080/model/")
    assert headers_of(server.requests[0])["host"] == "bedrock.example:8080"
    verify_path = server.requests[0].head.replace("http://bedrock.example:8080/", "/", 1)
    verify_signature(Request(verify_path, server.requests[0].body, 0), "test")


def test_no_credentials_is_refused_with_the_cure(monkeypatch: pytest.MonkeyPatch, fresh_session: None) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with pytest.raises(Refused, match="AWS_PROFILE"):
        check_credentials(None)


def test_no_region_is_unusable_with_the_cure(fresh_session: None) -> None:
    with pytest.raises(UnusableInput, match="AWS_REGION"):
        check_credentials(None)
    with pytest.raises(UnusableInput, match="AWS_REGION"):
        from_the_environment()


def test_a_profile_that_is_not_there_is_unusable(monkeypatch: pytest.MonkeyPatch, fresh_session: None) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UnusableInput, match="nobody"):
        check_credentials("us-east-1")


def test_credentials_that_vanish_are_a_failure_of_the_request(
    server: Scripted, monkeypatch: pytest.MonkeyPatch, fresh_session: None
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    caller = from_the_environment()
    exchange = caller.call(caller.prepare(prompt(), salted=False), None)
    assert (exchange.failure, exchange.sent_ns) == ("expired_credentials", None)
    assert server.requests == []


def test_the_models_region_wins(server: Scripted) -> None:
    model = {"id": NOVA, "region": "ap-south-1"}
    here(Ask(server.url, model=model, region="us-west-2"))
    assert "/ap-south-1/bedrock/" in headers_of(server.requests[0])["authorization"]


KEY = '"Version": 1, "AccessKeyId": "AKIAXXXXXXXXXXXXXXXX", "SecretAccessKey": "s"'
GONE_WRONG = {
    "no JSON": "credential_process = echo nothing",
    "a list": "credential_process = echo [1]",
    "a failure": "credential_process = false",
    "no program": "credential_process = /no/such/program",
    "long over": f"""credential_process = echo '{{{KEY}, "SessionToken": "t", "Expiration": "2020-01-01T00:00:00Z"}}'""",
    "no date": f"""credential_process = echo '{{{KEY}, "SessionToken": "t", "Expiration": "tomorrow"}}'""",
    "another version": f"""credential_process = echo '{{{KEY.replace("1", "2", 1)}}}'""",
    "no token file": "role_arn = arn:aws:iam::1:role/x\nweb_identity_token_file = /no/such/token",
    "no sign-on": "sso_start_url = https://x.example.test\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r",
    "no session": "sso_session = my\nsso_account_id = 1\nsso_role_name = r\n"
    "[sso-session my]\nsso_start_url = https://x.example.test\nsso_region = us-east-1",
    "a role of its own": "role_arn = arn:aws:iam::1:role/x\nsource_profile = tried",
}


@pytest.mark.parametrize("lines", GONE_WRONG.values(), ids=GONE_WRONG)
def test_providers_that_give_no_credentials_refuse_the_run(
    lines: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_session: None
) -> None:
    """Whatever they raise is the credentials' fault, with the cure, and never the program's."""
    (tmp_path / "config").write_text(f"[profile tried]\n{lines}\n", encoding="utf-8")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "tried")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with pytest.raises(Refused, match=r"AWS credentials cannot be used.*AWS_PROFILE"):
        check_credentials("us-east-1")
