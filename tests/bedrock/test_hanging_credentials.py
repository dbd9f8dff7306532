"""A provider of credentials that never answers is named, with the cure, and waited for once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from fmbench import patience
from fmbench.bedrock import client
from fmbench.bedrock import credentials as keeping
from fmbench.core.failures import Refused
from fmbench.storage.stores.s3 import S3Store
from tests.bedrock.test_credentials import Provider


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = us-east-1\ncredential_process = sleep 20\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(patience, "CREDENTIALS_S", 0.5)
    monkeypatch.setattr(client, "_hung", [])
    client._core.cache_clear()
    client.session.cache_clear()


def test_it_is_refused_by_name_and_not_waited_for_again(hanging: None, request: pytest.FixtureRequest) -> None:
    request.addfinalizer(client.session.cache_clear)
    request.addfinalizer(client._core.cache_clear)
    with pytest.raises(Refused, match=r"AWS credentials cannot be used: .*credential_process.* hangs.* Set AWS_PROFILE"):
        client.check_credentials("us-east-1")
    began = time.monotonic()
    with pytest.raises(Refused, match=r"hangs"):
        client.own_credentials()
    assert time.monotonic() - began < 0.4


def test_a_store_says_so_too(hanging: None) -> None:
    with pytest.raises(Refused, match=r"no AWS credentials.*credential_process.* hangs"):
        S3Store("s3://bucket/runs")


def test_a_refresh_that_hangs_ends_and_its_users_learn_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "CREDENTIALS_S", 0.3)
    provider = Provider(life_s=0.2)
    credentials = provider.credentials()
    monkeypatch.setattr(provider, "metadata", threading.Event().wait)
    credentials._refresh_using = provider.metadata
    keeper = keeping.Keeper(credentials)
    time.sleep(0.25)  # the life of the credentials, which has to be over
    for _ in range(2):
        with pytest.raises(TimeoutError, match=r"credential_process.* hangs"):
            keeper.check()


def test_what_the_provider_raises_comes_through() -> None:
    def fails() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match=r"its own"):
        patience.given(fails)
    assert patience.given(lambda: 7) == 7
