"""The account by emulators that nobody here wrote. MiniStack has STS and the control plane of Bedrock; moto has STS. Neither has
ListServiceQuotas: quotas, and what else they lack, are stubbed in the documented shapes in ``test_preflight.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config as BotoConfig

from fmbench.bedrock.account import Account, Unanswered, Why
from fmbench.config.schema import Config
from fmbench.core.preflight import Found, Verdict
from fmbench.core.prices.book import PriceBook, prices_of
from fmbench.run.preflight import look
from fmbench.run.preflight.subject import Subject
from tests.support.emulators import ministack, moto

pytestmark = pytest.mark.aws_emulator
REGION = "us-east-1"
NOVA = "amazon.nova-lite-v1:0"
KEYS = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}


def _account(url: str) -> Account:
    once = BotoConfig(retries={"total_max_attempts": 1})
    return Account(REGION, lambda service, region: boto3.client(service, region, endpoint_url=url, config=once, **KEYS))


@pytest.fixture(scope="module")
def of_ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ministack(Path(tmp_path_factory.mktemp("ministack"))) as url:
        yield url


@pytest.fixture(scope="module")
def of_moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto(Path(tmp_path_factory.mktemp("moto"))) as url:
        yield url


def _look(url: str, model_id: str, *only: str) -> list[Found]:
    config = Config.model_validate({"region": REGION, "models": [{"id": model_id}]})
    subject = Subject(config, prices_of(config, PriceBook({}, REGION)), lambda region: _account(url))
    return list(look(subject, only))


@pytest.mark.parametrize(("server", "account_id"), [("of_ministack", "000000000000"), ("of_moto", "123456789012")])
def test_who_asks(server: str, account_id: str, request: pytest.FixtureRequest) -> None:
    identity = _account(request.getfixturevalue(server)).identity()
    assert identity.account == account_id
    assert identity.arn.startswith("arn:aws:")
    assert identity.clock_ahead_s is not None and abs(identity.clock_ahead_s) < 30, "by the Date of its answer"


def test_the_catalogue_is_listed(of_ministack: str) -> None:
    account = _account(of_ministack)
    assert NOVA in {model["modelId"] for model in account.foundation_models()}
    assert f"us.{NOVA}" in {profile["inferenceProfileId"] for profile in account.inference_profiles()}
    assert f"us.{NOVA}" in account.profiles_of(NOVA)
    assert account.model(NOVA)["inferenceTypesSupported"] == ["ON_DEMAND"]


def test_a_profile_is_over_its_model_and_may_be_used(of_ministack: str) -> None:
    found = _look(of_ministack, f"us.{NOVA}", "models")
    assert [each.verdict for each in found] == [Verdict.OK, Verdict.OK]
    assert REGION in found[0].what


def test_a_provisioned_model_tells_its_units(of_ministack: str) -> None:
    client = boto3.client("bedrock", region_name=REGION, endpoint_url=of_ministack, **KEYS)
    bought = client.create_provisioned_model_throughput(modelUnits=2, provisionedModelName="two", modelId=NOVA)
    (found,) = _look(of_ministack, bought["provisionedModelArn"], "models")
    assert "2 model units" in found.what


def test_a_model_that_is_not_there_is_a_failure_with_a_cure(of_ministack: str) -> None:
    (fault,) = _look(of_ministack, "amazon.nothing-v1:0", "models")
    assert fault.verdict is Verdict.FAILED
    assert "list-foundation-models" in fault.cure


def test_a_server_that_knows_no_such_question_keeps_no_run_back(of_moto: str, of_ministack: str) -> None:
    """moto answers 500 with a page, MiniStack 400 without a word."""
    for url in (of_moto, of_ministack):
        with pytest.raises(Unanswered) as refused:
            _account(url).quotas()
        assert refused.value.why is Why.UNABLE
    (found,) = _look(of_moto, NOVA, "models")
    assert found.verdict is Verdict.UNKNOWN
