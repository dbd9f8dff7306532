"""``models --live`` against answers of the documented shapes through botocore's Stubber: paging, access, and what is denied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from fmbench.bedrock.account import Account
from fmbench.core.failures import ExitCode, Refused, UnusableInput
from fmbench.run.live_models import list_live_models
from tests.bedrock.test_preflight import GOOD, NOVA, REGION, SONNET, Stubs, profile

MODELS = [
    (NOVA, ["ON_DEMAND", "INFERENCE_PROFILE"], {"status": "ACTIVE"}),
    (SONNET, ["INFERENCE_PROFILE"], {"status": "ACTIVE"}),
    ("amazon.titan-text-express-v1", ["ON_DEMAND"], {"status": "LEGACY", "endOfLifeTime": datetime(2027, 1, 31, tzinfo=UTC)}),
]
APPLICATION = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcd1234efgh"


def models() -> dict[str, Any]:
    arn = f"arn:aws:bedrock:{REGION}::foundation-model/"
    return {
        "modelSummaries": [
            {
                "modelArn": arn + name,
                "modelId": name,
                "inferenceTypesSupported": kinds,
                "modelLifecycle": lifecycle,
                "responseStreamingSupported": True,
            }
            for name, kinds, lifecycle in MODELS
        ]
    }


def profiles(*found: dict[str, Any], more: str | None = None) -> dict[str, Any]:
    return {"inferenceProfileSummaries": list(found)} | ({} if more is None else {"nextToken": more})


@contextmanager
def account(stubs: Stubs) -> Iterator[Account]:
    with ExitStack() as stack:
        stack.enter_context(stubs.stubs["bedrock"])
        yield Account(REGION, lambda service, _: stubs.clients[service])
        stubs.stubs["bedrock"].assert_no_pending_responses()


def says_profiles(stubs: Stubs) -> None:
    """Two pages of the system's profiles, one of the account's own."""
    stub = stubs.stubs["bedrock"]
    own = profile("abcd1234efgh", NOVA) | {"inferenceProfileArn": APPLICATION, "type": "APPLICATION"}
    system = {"typeEquals": "SYSTEM_DEFINED"}
    stub.add_response("list_inference_profiles", profiles(profile(f"us.{SONNET}", SONNET), more="page-2"), system)
    stub.add_response("list_inference_profiles", profiles(profile(f"us.{NOVA}", NOVA)), system | {"nextToken": "page-2"})
    stub.add_response("list_inference_profiles", profiles(own), {"typeEquals": "APPLICATION"})


def line_of(table: str, model: str) -> list[str]:
    """The words of the line that begins with an id."""
    return next(line.split() for line in table.splitlines() if line.split()[:1] == [model])


def test_models_profiles_and_access_over_all_pages(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fmbench.bedrock.catalogue.AT_ONCE", 1)
    stubs = Stubs()
    stubs.says("bedrock", "list_foundation_models", models())
    says_profiles(stubs)
    for name in sorted(name for name, _, _ in MODELS):
        refused = {"entitlementAvailability": "NOT_AVAILABLE"} if name == SONNET else {}
        stubs.stubs["bedrock"].add_response(
            "get_foundation_model_availability", GOOD | {"modelId": name} | refused, {"modelId": name}
        )
    with account(stubs) as asked:
        assert list_live_models("", REGION, asked) == ExitCode.DONE
    table = capsys.readouterr().out
    assert line_of(table, NOVA)[:5] == [NOVA, "on", "demand", "yes", "yes"]
    assert "by profile only" in " ".join(line_of(table, SONNET))
    assert line_of(table, f"us.{NOVA}")[1:4] == ["profile", "yes", "yes"]
    assert "us-east-1, us-west-2" in " ".join(line_of(table, f"us.{NOVA}"))
    assert "entitlementAvailability NOT_AVAILABLE" in " ".join(line_of(table, f"us.{SONNET}"))
    assert line_of(table, APPLICATION)[1:4] == ["application", "profile", "yes"]
    assert "2027-01-31" in line_of(table, "amazon.titan-text-express-v1")


def test_what_is_denied_is_said_and_the_rest_is_listed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fmbench.bedrock.catalogue.AT_ONCE", 1)
    stubs = Stubs()
    stubs.says("bedrock", "list_foundation_models", models())
    stubs.refuses("bedrock", "list_inference_profiles", "AccessDeniedException", "User ann is not authorized")
    stubs.refuses("bedrock", "get_foundation_model_availability", "AccessDeniedException", "neither is this")
    with account(stubs) as asked:
        assert list_live_models("nova", REGION, asked) == ExitCode.DONE
    told = capsys.readouterr()
    assert line_of(told.out, NOVA)[:4] == [NOVA, "on", "demand", "?"]
    assert "titan" not in told.out
    assert "bedrock:ListInferenceProfiles is not allowed" in told.err and "User ann is not authorized" in told.err
    assert "bedrock:GetFoundationModelAvailability is not allowed" in told.err


def test_where_nothing_can_be_listed_the_refusal_names_the_permissions():
    stubs = Stubs()
    for operation in ("list_foundation_models", "list_inference_profiles"):
        stubs.refuses("bedrock", operation, "AccessDeniedException", "User ann is not authorized")
    with account(stubs) as asked, pytest.raises(Refused, match="Allow bedrock:ListFoundationModels"):
        list_live_models("", REGION, asked)


def test_credentials_that_do_not_hold_are_said_with_their_cure():
    stubs = Stubs()
    stubs.refuses("bedrock", "list_foundation_models", "ExpiredTokenException", "The security token included is expired")
    with account(stubs) as asked, pytest.raises(Refused, match="Sign in again"):
        list_live_models("", REGION, asked)


def test_a_word_that_is_in_no_id_is_said():
    stubs = Stubs()
    stubs.says("bedrock", "list_foundation_models", models())
    says_profiles(stubs)
    with account(stubs) as asked, pytest.raises(UnusableInput, match='no model with "nothere"'):
        list_live_models("nothere", REGION, asked)


def test_without_a_region_nothing_is_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fmbench.run.live_models.own_region", lambda: None)
    with pytest.raises(UnusableInput, match="AWS_REGION"):
        list_live_models("", None)
