"""The checks before a run, against answers of the documented shapes through botocore's Stubber."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from fmbench.bedrock import client
from fmbench.bedrock.account import Account, Unanswered, Why
from fmbench.config.schema import Config
from fmbench.core.preflight import Found, Verdict
from fmbench.core.prices.book import PriceBook, prices_of
from fmbench.run.check import command
from fmbench.run.options import Options
from fmbench.run.preflight import look
from fmbench.run.preflight.subject import Subject

REGION = "us-east-1"
SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"
GOOD = {
    "modelId": SONNET,
    "agreementAvailability": {"status": "AVAILABLE"},
    "authorizationStatus": "AUTHORIZED",
    "entitlementAvailability": "AVAILABLE",
    "regionAvailability": "AVAILABLE",
}


def details(model_id: str, *kinds: str, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:bedrock:{REGION}::foundation-model/{model_id}"
    return {"modelDetails": {"modelArn": arn, "modelId": model_id, "inferenceTypesSupported": list(kinds), **more}}


def profile(profile_id: str, model_id: str, status: str = "ACTIVE") -> dict[str, Any]:
    arns = [f"arn:aws:bedrock:{region}::foundation-model/{model_id}" for region in (REGION, "us-west-2")]
    return {
        "inferenceProfileName": profile_id,
        "inferenceProfileArn": f"arn:aws:bedrock:{REGION}:111122223333:inference-profile/{profile_id}",
        "inferenceProfileId": profile_id,
        "models": [{"modelArn": arn} for arn in arns],
        "status": status,
        "type": "SYSTEM_DEFINED",
    }


def quota(name: str, value: float) -> dict[str, Any]:
    return {"ServiceCode": "bedrock", "QuotaName": name, "Value": value}


class Stubs:
    """A stubbed client a service; answers come in the order in which they were added."""

    def __init__(self) -> None:
        keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": REGION}
        self.clients = {name: boto3.client(name, **keys) for name in ("sts", "bedrock", "service-quotas", "s3")}
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}

    def says(self, service: str, operation: str, answer: dict[str, Any]) -> None:
        self.stubs[service].add_response(operation, answer)

    def refuses(self, service: str, operation: str, code: str, message: str = "no") -> None:
        self.stubs[service].add_client_error(operation, code, message)

    def look(self, config: dict[str, Any], *only: str) -> list[Found]:
        checked = Config.model_validate({"region": REGION} | config)
        prices = prices_of(checked, PriceBook(checked.pricing, checked.region))
        subject = Subject(checked, prices, lambda region: Account(region, lambda service, _: self.clients[service]))
        with ExitStack() as stack:
            for stub in self.stubs.values():
                stack.enter_context(stub)
            found = list(look(subject, only))
            for stub in self.stubs.values():
                stub.assert_no_pending_responses()
        return found


@pytest.fixture
def stubs() -> Stubs:
    return Stubs()


def faults(found: list[Found]) -> list[Found]:
    return [each for each in found if each.verdict is Verdict.FAILED]


def test_a_profile_whose_model_may_be_used(stubs: Stubs) -> None:
    stubs.says("bedrock", "get_inference_profile", profile(f"us.{SONNET}", SONNET))
    stubs.says("bedrock", "get_foundation_model", details(SONNET, "INFERENCE_PROFILE"))
    stubs.says("bedrock", "get_foundation_model_availability", GOOD)
    found = stubs.look({"models": [{"id": f"us.{SONNET}"}]}, "models")
    assert [each.verdict for each in found] == [Verdict.OK, Verdict.OK]
    assert "us-east-1, us-west-2" in found[0].what


def test_a_model_that_needs_a_profile_is_told_which(stubs: Stubs) -> None:
    stubs.says("bedrock", "get_foundation_model", details(SONNET, "INFERENCE_PROFILE"))
    stubs.says("bedrock", "list_inference_profiles", {"inferenceProfileSummaries": [profile(f"us.{SONNET}", SONNET)]})
    stubs.says("bedrock", "get_foundation_model_availability", GOOD)
    (fault,) = faults(stubs.look({"models": [{"id": SONNET}]}, "models"))
    assert "on demand" in fault.what and f"us.{SONNET}" in fault.cure


def test_access_that_was_not_granted_has_its_cure(stubs: Stubs) -> None:
    stubs.says("bedrock", "get_foundation_model", details(NOVA, "ON_DEMAND", modelLifecycle={"status": "LEGACY"}))
    refused = GOOD | {"entitlementAvailability": "NOT_AVAILABLE", "agreementAvailability": {"status": "NOT_AVAILABLE"}}
    stubs.says("bedrock", "get_foundation_model_availability", refused)
    found = stubs.look({"models": [{"id": NOVA}]}, "models")
    assert [each.verdict for each in found] == [Verdict.WARNING, Verdict.FAILED, Verdict.FAILED]
    assert all("Model access" in each.cure or "model access" in each.cure.lower() for each in faults(found))


def test_a_model_and_a_profile_that_are_not_there(stubs: Stubs) -> None:
    stubs.refuses("bedrock", "get_foundation_model", "ResourceNotFoundException")
    stubs.refuses("bedrock", "get_inference_profile", "ResourceNotFoundException")
    stubs.says("bedrock", "list_inference_profiles", {"inferenceProfileSummaries": [profile(f"global.{SONNET}", SONNET)]})
    found = stubs.look({"models": [{"id": "amazon.nova-lite-v9:0"}, {"id": f"eu.{SONNET}"}]}, "models")
    assert [each.verdict for each in found] == [Verdict.FAILED] * 2
    assert f"global.{SONNET}" in found[1].cure


def test_what_may_not_be_looked_up_is_unknown_and_no_failure(stubs: Stubs) -> None:
    stubs.refuses("bedrock", "get_foundation_model", "AccessDeniedException", "not authorized")
    stubs.refuses("service-quotas", "list_service_quotas", "AccessDeniedException")
    found = stubs.look({"models": [{"id": NOVA}]}, "models", "quotas")
    assert [each.verdict for each in found] == [Verdict.UNKNOWN] * 2
    assert "bedrock:GetFoundationModel" in found[0].cure and "servicequotas:ListServiceQuotas" in found[1].cure


def test_quotas_are_told_by_their_names(stubs: Stubs) -> None:
    """The names are those of Service Quotas; the long-context quota is another one."""
    quotas = [
        quota("On-demand model inference tokens per minute for Amazon Nova Lite", 400_000),
        quota("On-demand model inference requests per minute for Amazon Nova Lite", 0),
        quota("Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1", 200_000),
        quota("Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1 1M Context Length", 9),
        quota("Model invocation max tokens per day for Anthropic Claude Sonnet 4.5 V1 (doubled for cross-region calls)", 144e6),
        quota("Global cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1", 7),
    ]
    for _ in range(2):
        stubs.says("service-quotas", "list_service_quotas", {"Quotas": quotas})
    nova, sonnet = stubs.look({"models": [{"id": NOVA}, {"id": f"us.{SONNET}"}]}, "quotas")
    assert (nova.verdict, nova.what) == (Verdict.FAILED, "400,000 tokens a minute, 0 requests a minute")
    assert (sonnet.verdict, sonnet.what) == (Verdict.OK, "200,000 tokens a minute, 144,000,000 tokens a day")


@pytest.mark.parametrize(("off_s", "verdict"), [(0, Verdict.OK), (100, Verdict.WARNING), (400, Verdict.FAILED)])
def test_a_clock_that_is_off(stubs: Stubs, off_s: int, verdict: Verdict) -> None:
    told = format_datetime(datetime.fromtimestamp(datetime.now(UTC).timestamp() - off_s, UTC), usegmt=True)
    answer = {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/ann", "UserId": "u"}
    stubs.says("sts", "get_caller_identity", answer | {"ResponseMetadata": {"HTTPHeaders": {"date": told}}})
    identity, clock = stubs.look({"models": [{"id": NOVA}]}, "credentials")
    assert "user/ann" in identity.what
    assert clock.verdict is verdict


@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "SignatureDoesNotMatch", "AccessDenied"])
def test_a_refusal_tells_the_clock_too(stubs: Stubs, code: str) -> None:
    told = format_datetime(datetime.fromtimestamp(datetime.now(UTC).timestamp() + 400, UTC), usegmt=True)
    stubs.stubs["sts"].add_client_error("get_caller_identity", code, response_meta={"HTTPHeaders": {"date": told}})
    _identity, clock = stubs.look({"models": [{"id": NOVA}]}, "credentials")
    assert clock.about == "clock" and clock.verdict is Verdict.FAILED
    assert "behind AWS's" in clock.what
    assert 395 <= float(clock.what.partition(" s behind")[0].rpartition(" ")[2]) <= 401


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"])
def test_credentials_that_do_not_hold(stubs: Stubs, code: str) -> None:
    stubs.refuses("sts", "get_caller_identity", code)
    (fault,) = stubs.look({"models": [{"id": NOVA}]}, "credentials")
    assert fault.verdict is Verdict.FAILED and "Sign in" in fault.cure


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException", "InternalServerException", "400"])
def test_a_service_that_cannot_tell_keeps_no_run_back(stubs: Stubs, code: str) -> None:
    stubs.refuses("bedrock", "get_foundation_model", code)
    stubs.refuses("service-quotas", "list_service_quotas", code)
    found = stubs.look({"models": [{"id": NOVA}]}, "models", "quotas")
    assert [each.verdict for each in found] == [Verdict.UNKNOWN] * 2
    assert not any("Sign in" in each.cure for each in found)


def test_a_price_that_a_budget_needs(stubs: Stubs, tmp_path: Path) -> None:
    unknown = {"models": [{"id": "nobody.knows"}], "output": str(tmp_path / "runs")}
    assert [each.verdict for each in stubs.look(unknown, "prices", "output")] == [Verdict.WARNING, Verdict.OK]
    assert stubs.look(unknown | {"budget": {"max_usd": 1}}, "prices")[0].verdict is Verdict.FAILED


def test_a_region_that_is_mistyped(stubs: Stubs) -> None:
    good, bad = stubs.look({"models": [{"id": NOVA}, {"id": NOVA, "label": "b", "region": "us-east-11"}]}, "region")
    assert (good.verdict, bad.verdict) == (Verdict.OK, Verdict.WARNING)
    assert bad.cure.startswith("Did you mean us-east-1")


def test_the_quota_of_the_configuration_wins_and_is_told_as_such(stubs: Stubs) -> None:
    quotas = [quota("On-demand model inference tokens per minute for Amazon Nova Lite", 400_000)]
    stubs.says("service-quotas", "list_service_quotas", {"Quotas": quotas})
    (found,) = stubs.look({"models": [{"id": NOVA, "label": "nova"}], "quota": {"nova": {"rpm": 30}}}, "quotas")
    assert found.what == "400,000 tokens a minute, 30 requests a minute (quota: in the configuration)"


def test_a_quota_of_the_configuration_needs_no_permission(stubs: Stubs) -> None:
    stubs.refuses("service-quotas", "list_service_quotas", "AccessDeniedException")
    (found,) = stubs.look({"models": [{"id": NOVA}], "quota": {NOVA: {"tpm": 0}}}, "quotas")
    assert (found.verdict, found.what) == (Verdict.FAILED, "0 tokens a minute (quota: in the configuration)")


@pytest.mark.parametrize(
    ("variables", "about", "what", "cure"),
    [
        ({"AWS_ACCESS_KEY_ID": None}, "identity", "No AWS credentials were found", "Set AWS_PROFILE"),
        ({"AWS_CA_BUNDLE": "/nobody/ca.pem"}, "certificates", "CA bundle /nobody/ca.pem: No such file", "Name a PEM file"),
        ({"AWS_CA_BUNDLE": __file__}, "certificates", "no certificate can be read from it", "Name a PEM file"),
    ],
)
def test_what_keeps_every_request_from_aws_is_one_finding_of_the_check(
    variables: dict[str, str | None],
    about: str,
    what: str,
    cure: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    forget_session()
    config = tmp_path / "cfg.yml"
    config.write_text(f"models: [{{id: {NOVA}}}]\nregion: {REGION}\noutput: {tmp_path / 'runs'}\n")
    try:
        assert command(Options(config=str(config)), as_json=True, probe=False) == 3
        (found,) = (each for each in json.loads(capsys.readouterr().out)["found"] if each["verdict"] == "failed")
        assert (found["check"], found["about"]) == ("credentials", about)
        assert what in found["what"] and found["cure"].startswith(cure)
    finally:
        forget_session()


def forget_session() -> None:
    client.session.cache_clear()
    client._core.cache_clear()


def test_a_bedrock_api_key_alone_is_enough_although_it_reads_no_quotas(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is for Bedrock; Service Quotas wants a signature, which there is nothing to make of."""

    def unsigned(service: str, region: str) -> Any:
        raise Unanswered(Why.CREDENTIALS, "Unable to locate credentials")

    def quota_of() -> list[Verdict]:
        config = Config.model_validate({"region": REGION, "models": [{"id": NOVA}]})
        subject = Subject(config, {NOVA: None}, lambda name: Account(name, unsigned))
        return [each.verdict for each in look(subject, ("quotas",))]

    assert quota_of() == [Verdict.FAILED]
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "key")
    assert quota_of() == [Verdict.UNKNOWN]
