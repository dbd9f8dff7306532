"""Control planes that answer what AWS never does, or never end: said in words, within bounds, and no fault of the program."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from fmbench.bedrock.account import Account, Unanswered
from fmbench.bedrock.catalogue import catalogue
from fmbench.bedrock.price_list import fetch_price_list
from fmbench.core.failures import Refused

KEYS = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
Server = tuple[str, Callable[[bytes, float], None]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Its address, and what sets its answer to everything and the pause before each byte of it."""
    said: list[Any] = [b"", 0.0]

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None: ...

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", str(len(said[0])))
            self.end_headers()
            for piece in (said[0][at : at + 1] for at in range(len(said[0]))) if said[1] else (said[0],):
                time.sleep(said[1])
                try:
                    self.wfile.write(piece)
                except OSError:
                    return

        do_POST = do_GET

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_address[1]}", lambda body, pause: said.__setitem__(slice(None), [body, pause])
    found.shutdown()
    found.server_close()


def account(url: str) -> Account:
    once = Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=5)
    clients: dict[str, Any] = {}

    def make(service: str, region: str) -> Any:
        if service not in clients:
            clients[service] = boto3.client(service, region, endpoint_url=url, config=once, **KEYS)
        return clients[service]

    return Account("us-east-1", make)


QUESTIONS: dict[str, Callable[[Account], Any]] = {
    "identity": lambda each: each.identity(),
    "model": lambda each: each.model("m"),
    "availability": lambda each: each.availability("m"),
    "profile": lambda each: each.profile("p"),
    "models": lambda each: each.foundation_models(),
    "profiles": lambda each: each.inference_profiles(),
    "profiles of": lambda each: each.profiles_of("m"),
    "behind": lambda each: each.model_behind("arn:aws:bedrock:us-east-1::inference-profile/x"),
    "quotas": lambda each: each.quotas(),
    "bucket": lambda each: each.bucket_region("bucket"),
    "catalogue": catalogue,
}
NAMES = st.sampled_from(
    [
        "modelDetails",
        "modelSummaries",
        "inferenceProfileSummaries",
        "models",
        "modelArn",
        "Quotas",
        "QuotaName",
        "Value",
        "modelId",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.one_of(st.binary(max_size=60), VALUES.map(lambda value: json.dumps(value).encode()))


@pytest.mark.parametrize("question", QUESTIONS)
@settings(max_examples=15, deadline=None)
@given(body=BODIES)
def test_any_answer_is_an_answer_or_none(server: Server, question: str, body: bytes) -> None:
    server[1](body, 0.0)
    try:
        QUESTIONS[question](account(server[0]))
    except Unanswered as error:
        assert str(error.message)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("of", ["modelSummaries", "inferenceProfileSummaries", "models", "Quotas"])
@pytest.mark.parametrize("value", [None, {"models": [None]}, {"modelArn": None}, {"modelId": None}, 7])
def test_a_list_of_what_does_not_belong_there_is_an_answer_or_none(server: Server, question: str, of: str, value: object) -> None:
    server[1](json.dumps({of: [value]}).encode(), 0.0)
    try:
        QUESTIONS[question](account(server[0]))
    except Unanswered as error:
        assert str(error.message)


@settings(max_examples=15, deadline=None)
@given(body=BODIES)
def test_any_price_list_is_one_or_is_refused(server: Server, body: bytes) -> None:
    server[1](body, 0.0)
    client = boto3.client("pricing", "us-east-1", endpoint_url=server[0], **KEYS)
    try:
        fetch_price_list(["us-east-1"], client)
    except Refused as error:
        assert "--live-prices" in str(error)


def test_answers_that_drip_are_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fmbench.bedrock.account.WITHIN_S", 0.3)
    monkeypatch.setattr("fmbench.bedrock.price_list.WITHIN_S", 0.3)
    server[1](b'{"modelSummaries": []}', 0.2)
    begun = time.monotonic()
    with pytest.raises(Unanswered, match=r"bedrock gave no whole answer within 0\.3 s"):
        account(server[0]).foundation_models()
    with pytest.raises(Refused, match=r"did not come whole within 0\.3 s"):
        fetch_price_list(["us-east-1"], boto3.client("pricing", "us-east-1", endpoint_url=server[0], **KEYS))
    assert time.monotonic() - begun < 3


def test_pages_without_end_are_bounded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [0]

    class Endless:
        def get_paginator(self, name: str) -> Any:
            return self

        def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
            while True:
                asked[0] += 1
                yield {"Quotas": [], "PriceList": []}

    assert Account("us-east-1", lambda service, region: Endless()).quotas() == []
    fetch_price_list(["us-east-1"], Endless())
    assert asked[0] < 3_000
