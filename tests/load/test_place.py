"""A load process knows how far the endpoint is and which region it runs in, or says nothing, within its time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fmbench.load.worker import place

TOKEN = "a-session-token"


class Metadata(BaseHTTPRequestHandler):
    """What ECS and EC2 answer to a task or an instance, as their manuals say."""

    def do_PUT(self) -> None:
        asked = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self._answer(200 if asked else 400, TOKEN)

    def do_GET(self) -> None:
        if self.path == "/v4/abc/task":
            self._answer(200, '{"Cluster": "c", "AvailabilityZone": "eu-central-1b"}')
        elif self.headers["X-aws-ec2-metadata-token"] != TOKEN:
            self._answer(401, "")
        elif self.path == "/latest/meta-data/placement/region":
            self._answer(200, "us-gov-west-1")
        else:
            self._answer(404, "us-east-1 is not here")

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Not in the tests' output."""


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a service that plays both; nothing of this machine's own is asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.delenv("ECS_CONTAINER_METADATA_URI_V4", raising=False)
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", address + "/")
    yield address
    server.shutdown()
    server.server_close()


@pytest.fixture
def listener() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_task_on_ecs_says_its_zone(metadata: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", f"{metadata}/v4/abc")
    assert place.region() == "eu-central-1"


def test_an_instance_says_its_region_to_who_has_a_token(metadata: str) -> None:
    assert place.region() == "us-gov-west-1"


def test_an_instance_that_may_not_be_asked_is_not(metadata: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert place.region() is None


def test_an_answer_that_is_no_region_is_none(metadata: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", f"{metadata}/elsewhere")
    assert place.region() is None


def test_a_machine_without_such_a_service_is_soon_known(listener: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECS_CONTAINER_METADATA_URI_V4", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", listener)  # takes the connection and never answers
    began = time.monotonic()
    assert place.region() is None
    assert time.monotonic() - began < 5


def test_the_way_to_an_endpoint_is_measured(listener: str) -> None:
    trip = place.round_trip_s(listener)
    assert trip is not None
    assert 0 < trip < 1


def test_an_endpoint_that_nobody_answers_for_has_no_distance(listener: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert place.round_trip_s(f"http://127.0.0.1:{taken.getsockname()[1]}") is None


@pytest.mark.parametrize("url", [None, "https://127.0.0.1:1", "https://localhost:1", "http://[::1]:1"])
def test_an_endpoint_on_this_machine_is_not_asked(url: str | None, metadata: str) -> None:
    assert place.place_of(url) == (None, None)
