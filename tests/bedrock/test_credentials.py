"""Credentials that end are fetched once each time they are due, and no request waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError

from fmbench.bedrock import credentials as keeping
from fmbench.bedrock.credentials import keep_fresh


class Provider:
    """Gives credentials that live for ``life_s``, and counts how often it was asked."""

    def __init__(self, life_s: float, takes_s: float = 0.0) -> None:
        self.life_s, self.takes_s = life_s, takes_s
        self.asked: list[str] = []
        self.at_a_time = self.most_at_a_time = 0
        self.fails = False

    def metadata(self) -> dict[str, Any]:
        self.asked.append(threading.current_thread().name)
        self.at_a_time += 1
        self.most_at_a_time = max(self.most_at_a_time, self.at_a_time)
        time.sleep(self.takes_s)
        self.at_a_time -= 1
        if self.fails:
            raise CredentialRetrievalError(provider="custom-process", error_msg="the session is over")
        end = datetime.now(UTC) + timedelta(seconds=self.life_s)
        key = f"key{len(self.asked)}"
        return {"access_key": key, "secret_key": "s", "token": "t", "expiry_time": end.isoformat()}

    def credentials(self) -> RefreshableCredentials:
        return RefreshableCredentials.create_from_metadata(self.metadata(), self.metadata, "custom-process")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(keeping, "LOOK_S", 0.02)
    monkeypatch.setattr(keeping, "AGAIN_AFTER_S", 0.3)
    yield


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "waited for 10 s"
        time.sleep(0.01)


def test_what_lasts_is_not_fetched_again_for_every_request() -> None:
    provider = Provider(life_s=300)
    credentials = provider.credentials()
    keep_fresh(credentials)
    keep_fresh(credentials)
    with ThreadPoolExecutor(8) as users:
        keys = {key for key in users.map(lambda _: credentials.get_frozen_credentials().access_key, range(400))}
    assert keys == {"key1"} and len(provider.asked) == 1


def test_renewed_ahead_of_need_by_one_who_is_no_request() -> None:
    provider = Provider(life_s=1.5, takes_s=0.1)
    credentials = provider.credentials()
    keep_fresh(credentials)
    waits, end = [], time.monotonic() + 3.5
    while time.monotonic() < end:
        began = time.monotonic()
        credentials.get_frozen_credentials()
        waits.append(time.monotonic() - began)
        time.sleep(0.005)
    assert set(provider.asked[1:]) == {"credentials"}
    assert 2 <= len(provider.asked) <= 6 and provider.most_at_a_time == 1
    assert max(waits) < 0.1, "a request waited for the refresh"


def test_when_they_cannot_be_had_all_users_learn_why_from_few_tries() -> None:
    provider = Provider(life_s=0.4)
    credentials = provider.credentials()
    provider.fails, provider.takes_s = True, 0.05
    keep_fresh(credentials)
    until(lambda: keeping._keepers[next(reversed(keeping._keepers))]._is_over())

    def ask(_: int) -> str:
        with pytest.raises(CredentialRetrievalError) as why:
            credentials.get_frozen_credentials()
        return str(why.value)

    keeping.longest_wait_s()
    before = len(provider.asked)
    with ThreadPoolExecutor(8) as users:
        said = set(users.map(ask, range(40)))
    assert len(said) == 1 and "the session is over" in said.pop()
    assert len(provider.asked) - before <= 2
    assert keeping.longest_wait_s() > 0.0 and keeping.longest_wait_s() == 0.0
    provider.fails = False
    until(lambda: _key(credentials) is not None)


def _key(credentials: RefreshableCredentials) -> str | None:
    try:
        return credentials.get_frozen_credentials().access_key
    except CredentialRetrievalError:
        return None
