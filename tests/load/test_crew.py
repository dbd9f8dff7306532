"""Workers come and go during a run: that costs cells' time, never the run."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.load.studies import MODELS, QUICK, Joined, Load, cells, entries, identity, load_json, prepare, wait_for
from tests.support.emulators import free_port
from tests.support.simulator import Endpoint, simulator

__all__ = ["simulator"]

pytestmark = pytest.mark.slow

Simulators = Callable[[dict[str, Any]], Endpoint]
SECRET = "a secret that only this run knows"


@pytest.fixture
def joined() -> Iterator[Callable[..., Joined]]:
    """Starts workers that are gone when the test is."""
    begun: list[Joined] = []

    def begin(*arguments: Any) -> Joined:
        begun.append(Joined(*arguments))
        return begun[-1]

    yield begin
    for worker in begun:
        worker.kill()


def test_every_worker_is_killed_and_replaced_and_the_run_goes_on(
    tmp_path: Path, simulator: Simulators, joined: Callable[..., Joined], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Kubernetes and ECS do it. A stranger without the run's secret knocks all the while."""
    endpoint, port = simulator(QUICK), free_port()
    load = {"concurrency": [2, 4], "duration_s": 4.0}
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load=load)
    monkeypatch.setenv("FMBENCH_SECRET", SECRET)
    master = Load(folder, master=True, expect_workers=2, listen=["127.0.0.1", port])
    workers = [joined(tmp_path / f"worker-{number}", port, SECRET) for number in range(2)]
    wait_for(lambda: endpoint.counts()["requests"] > 10, 60)
    joined(tmp_path / "stranger", port)
    with socket.create_connection(("127.0.0.1", port)) as garbage:
        garbage.sendall(b"\xff\xff GET / HTTP/1.1\r\n\r\n")
    for number, worker in enumerate(workers):
        worker.kill()
        joined(tmp_path / f"worker-{number + 2}", port, SECRET)
        seen = endpoint.counts()["requests"]
        wait_for(lambda seen=seen: endpoint.counts()["requests"] > seen + 60, 60)
    assert master.end() == "worker_lost", "two were lost on the way, and that is said"
    lines = cells(folder)
    assert {line["cell"] for line in lines if line["status"] == "complete"} == {0, 1}
    assert {line["status"] for line in lines} == {"invalid", "complete"}
    told = load_json(folder)["workers"]
    assert [worker["lost"] for worker in told].count(True) == 2 and len(told) == 4
    records = entries(folder, "record")
    assert {identity(row) for row in records} <= {identity(row) for row in entries(folder, "intent")}
    assert len(entries(folder, "intent")) == len(endpoint.ledger())


def test_without_a_secret_a_silent_stranger_is_not_waited_for(
    tmp_path: Path, simulator: Simulators, joined: Callable[..., Joined]
) -> None:
    """Somebody says that a worker is ready, and then nothing more."""
    zmq, msgpack = pytest.importorskip("zmq"), pytest.importorskip("msgpack")
    locust_version = pytest.importorskip("importlib.metadata").version("locust")
    endpoint, port = simulator(QUICK), free_port()
    folder = prepare(tmp_path / "run", endpoint.url, models=MODELS[:1], load={"concurrency": [2, 4], "duration_s": 2.0})
    master = Load(folder, master=True, expect_workers=1, listen=["127.0.0.1", port])
    joined(tmp_path / "worker", port)
    wait_for(lambda: endpoint.counts()["requests"] > 10, 60)
    with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.identity = b"stranger"
        stranger.connect(f"tcp://127.0.0.1:{port}")
        for message in (
            ("client_ready", locust_version, "stranger"),
            ("client_ready", None, "stranger"),
            {},
            ("stats", {}, "stranger"),
        ):
            stranger.send(msgpack.dumps(message))
        stranger.send(b"\xff\xff")
        assert master.end(60) == "done"
        stranger.setsockopt(zmq.LINGER, 0)
    assert [line["status"] for line in cells(folder)] == ["complete", "complete"]
    assert sum(load_json(folder)["ignored_messages"].values()) >= 4
    assert len(entries(folder, "record")) == len(endpoint.ledger())
