"""TTFT is when the first content came to this machine, whatever the process that reads it was doing."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from fmbench.bedrock import arrivals, kernel_time
from fmbench.bedrock.http1 import ResponseReader
from fmbench.core.records import Exchange
from fmbench.simulator.tls import make_authority
from tests.bedrock import asking, scripted_server
from tests.bedrock.kernel_server import GAPS_S, kernel_server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's stamps are Linux's")

STREAMS, REQUESTS = 8, 8
MODELS = {
    "converse-stream": asking.NOVA,
    "messages": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "responses": "us.openai.gpt-6-sol",
    "chat": "openai.gpt-oss-120b-1:0",
}
STOP_S, MOST_STOPS = 0.2, 12
NO_SANDBOX, TCP_INFO, FIONREAD = 99, 11, 0x541B
_CLIENT = f"""
from gevent import monkey; monkey.patch_all()
import gevent, json, sys
from tests.bedrock.asking import Ask, SALT, caller_for, prompt
caller = caller_for(Ask(sys.argv[1], sys.argv[2] or None, json.loads(sys.argv[3])))
prepared = caller.prepare(prompt(), salted=True)
def stream(number):
    gevent.sleep(number * 0.02)
    return [caller.call(prepared, SALT) for _ in range({REQUESTS})]
jobs = [gevent.spawn(stream, number) for number in range({STREAMS})]
gevent.joinall(jobs, raise_error=True)
for exchange in (exchange for job in jobs for exchange in job.value):
    assert exchange.failure is None, exchange
    sent, read = exchange.sent_ns, exchange.first_content_read_ns
    print(json.dumps([exchange.request_id, (exchange.first_content_ns - sent) / 1e9, read and (read - sent) / 1e9]))
"""


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return make_authority(tmp_path_factory.mktemp("authority"), "127.0.0.1")


@pytest.mark.timing
@pytest.mark.parametrize(
    ("api", "secure"),
    [("converse-stream", False), ("converse-stream", True), ("messages", True), ("responses", False), ("chat", True)],
)
def test_a_process_that_is_stopped_at_random_reports_the_same_ttft(
    api: str, secure: bool, tls: tuple[Path, ssl.SSLContext]
) -> None:
    draw = random.Random(3)
    with kernel_server(tls[1] if secure else None, api) as server:
        model = {"id": MODELS[api], "api": api}
        command = [sys.executable, "-c", _CLIENT, server.url, str(tls[0]) if secure else "", json.dumps(model)]
        stops = 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
            while client.poll() is None and stops < MOST_STOPS:
                time.sleep(draw.uniform(0.02, 0.15))
                if server.ttft_s:
                    os.kill(client.pid, signal.SIGSTOP)
                    time.sleep(STOP_S)
                    os.kill(client.pid, signal.SIGCONT)
                    stops += 1
            assert client.stdout is not None
            rows = [json.loads(line) for line in client.stdout]
    assert client.returncode == 0
    assert len(rows) == len(server.ttft_s) == STREAMS * REQUESTS
    assert stops >= 3
    errors = {name: ttft - server.ttft_s[name] for name, ttft, _ in rows}
    lateness = [read - ttft for _, ttft, read in rows if read is not None]
    assert len(lateness) == len(rows), "every first content has the kernel's stamp"
    assert max(lateness) > 0.05, "the process was late, and knows it"
    assert {name: error for name, error in errors.items() if abs(error) > 0.001} == {}


@pytest.mark.timing
@pytest.mark.parametrize("secure", [False, True])
def test_contents_and_the_end_have_the_moment_of_their_arrival_however_late_they_are_read(
    monkeypatch: pytest.MonkeyPatch, secure: bool, tls: tuple[Path, ssl.SSLContext]
) -> None:
    """Each read is 30 ms late, half of the time between two contents."""
    in_time = arrivals.Arrivals.feed

    def late(stamps: arrivals.Arrivals, reader: ResponseReader) -> bool:
        time.sleep(max(GAPS_S) / 2)
        return in_time(stamps, reader)

    monkeypatch.setattr(arrivals.Arrivals, "feed", late)
    with kernel_server(tls[1] if secure else None) as server:
        exchanges = asking.here(asking.Ask(server.url, str(tls[0]) if secure else None, times=2))
    slow = exchanges[-1]
    assert slow.content_ns and slow.ended_ns is not None
    later = [(at - slow.content_ns[0]) / 1e9 for at in [*slow.content_ns[1:], slow.ended_ns]]
    assert later == pytest.approx(server.later_s[str(slow.request_id)], abs=0.001)


def test_contents_have_the_moment_of_their_reading_where_the_wall_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as connection:
        peer, _ = listener.accept()
        with peer:
            assert kernel_time.stamp_socket(connection)
            stamps = arrivals.Arrivals(connection, None)
            exchange = Exchange(started_ns=time.monotonic_ns(), sent_ns=time.monotonic_ns())
            stamps.begin(exchange)
            stamps.end()  # as when the first content is out
            monkeypatch.setattr(arrivals, "_wall", _set_back_an_hour())
            reader = ResponseReader(lambda head: SimpleNamespace(content=lambda *given: None))
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
            before = time.monotonic_ns()
            stamps.feed(reader)
            assert reader.last_ns is not None and before <= reader.last_ns <= time.monotonic_ns()
            assert not stamps.stamped(reader.last_ns)
            stamps.close()


def _set_back_an_hour() -> SimpleNamespace:
    """How far the wall clock is ahead, as it is compared after it was set."""
    return SimpleNamespace(ahead_ns=time.time_ns() - time.monotonic_ns() - 3_600_000_000_000, until_ns=1 << 62)


@pytest.mark.parametrize("clock_was_set", [False, True])
def test_an_end_has_a_moment_of_its_reading_beside_it_only_where_the_kernel_said_when_it_came(
    monkeypatch: pytest.MonkeyPatch, clock_was_set: bool
) -> None:
    if clock_was_set:
        monkeypatch.setattr(arrivals, "_wall", _set_back_an_hour())
    with kernel_server() as server:
        (exchange,) = asking.here(asking.Ask(server.url))
    assert exchange.first_content_read_ns is not None
    assert exchange.ended_ns is not None and (exchange.ended_read_ns is None) == clock_was_set


@pytest.mark.timing
def test_arrivals_are_told_apart_behind_more_of_them_than_the_witness_has_room_for() -> None:
    """Forty that are read at once (keep-alives, say), then two that lie unread together."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as connection:
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with peer:
            assert kernel_time.stamp_socket(connection)
            stamps = arrivals.Arrivals(connection, None)
            stamps.begin(Exchange(started_ns=time.monotonic_ns(), sent_ns=time.monotonic_ns()))
            reader = ResponseReader(lambda head: SimpleNamespace(content=lambda *given: None))
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
            for _ in range(40):
                stamps.feed(reader)
                peer.sendall(b"alive")
                time.sleep(0.002)  # the witness looks
            stamps.feed(reader)
            sent = []
            for piece in (b"first", b"second"):
                sent.append(time.monotonic_ns())
                peer.sendall(piece)
                time.sleep(0.03)
            before = reader.received
            stamps.feed(reader)
            assert reader.received - before == len(b"first")
            assert reader.last_ns is not None and abs(reader.last_ns - sent[0]) < 1_000_000
            stamps.close()


def test_a_wall_clock_that_is_set_during_a_request_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    true, steps = arrivals.wall_ahead_ns, itertools.count()
    monkeypatch.setattr(arrivals, "wall_ahead_ns", lambda: true() + 3_600_000_000_000 * next(steps))
    with kernel_server() as server:
        (exchange,) = asking.here(asking.Ask(server.url))
        (ttft,) = server.ttft_s.values()
    assert exchange.first_content_read_ns is None
    assert exchange.first_content_ns is not None and exchange.sent_ns is not None
    assert -0.0005 < (exchange.first_content_ns - exchange.sent_ns) / 1e9 - ttft < 0.5


def test_where_the_system_stamps_nothing_the_read_is_the_stamp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "stamp_socket", lambda raw: False)
    with kernel_server() as server:
        (exchange,) = asking.here(asking.Ask(server.url))
    assert exchange.failure is None
    assert exchange.first_content_read_ns is None and exchange.first_content_ns is not None


_SANDBOXED = f"""
import errno, json, sys
from gevent import monkey; monkey.patch_all()
from tests.bedrock.asking import SALT, Ask, caller_for, prompt
from tests.bedrock.sandbox import refuse
if not refuse(sys.argv[2], errno.ENOSYS, *json.loads(sys.argv[3])):
    sys.exit({NO_SANDBOX})
caller = caller_for(Ask(sys.argv[1]))
prepared = caller.prepare(prompt(), salted=True)
for exchange in [caller.call(prepared, SALT) for _ in range(2)]:
    print(exchange.failure, exchange.first_content_ns is not None, exchange.first_content_read_ns is not None)
"""


@pytest.mark.parametrize(
    ("call", "where", "stamped"),
    [
        ("setsockopt", [2, kernel_time.SO_TIMESTAMPING], False),
        ("getsockopt", [2, TCP_INFO], False),
        ("recvmsg", [], False),
        ("ioctl", [1, FIONREAD], False),
        ("memfd_create", [], True),
        ("sendmsg", [], True),
    ],
)
def test_a_sandbox_that_refuses_a_call_that_stamps_take_costs_stamps_and_no_request(
    call: str, where: list[int], stamped: bool
) -> None:
    with kernel_server() as server:
        command = [sys.executable, "-c", _SANDBOXED, server.url, call, json.dumps(where)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == NO_SANDBOX:
        pytest.skip("no seccomp here")
    assert (done.stdout, done.returncode) == (f"None True {stamped}\n" * 2, 0), done.stderr


def test_a_system_that_tells_less_of_a_connection_stamps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_time, "_UP_TO_RECEIVED", 4096)  # gVisor's TCP_INFO is shorter than Linux's
    with kernel_server() as server:
        (exchange,) = asking.here(asking.Ask(server.url))
    assert (exchange.failure, exchange.first_content_read_ns) == (None, None)
    assert exchange.first_content_ns is not None


@pytest.mark.timing
def test_without_a_witness_the_kernel_is_asked_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "watch", lambda: None)
    with kernel_server() as server:
        exchanges = asking.here(asking.Ask(server.url, times=3))
        truth = list(server.ttft_s.values())
    found = [(exchange.first_content_ns or 0) - (exchange.sent_ns or 0) for exchange in exchanges]
    assert all(exchange.first_content_read_ns is not None for exchange in exchanges)
    assert [ns / 1e9 for ns in found] == pytest.approx(truth, abs=0.001)


def test_the_witness_ends_with_its_load_process_and_keeps_no_connection_open() -> None:
    program = "from fmbench.bedrock.watching import watch; print(watch().pid, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        witness = psutil.Process(int(owner.stdout.readline()))
        owner.kill()
    psutil.wait_procs([witness], timeout=10)
    assert not witness.is_running()


def test_the_witness_is_let_before_other_processes_where_the_system_allows_it() -> None:
    trial = "import os; os.setpriority(os.PRIO_PROCESS, 0, -15)"
    allowed = subprocess.run([sys.executable, "-c", trial], check=False, capture_output=True)
    program = "from fmbench.bedrock.watching import watch; print(watch().pid, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None and owner.stdin is not None
        witness = psutil.Process(int(owner.stdout.readline()))
        expected = -15 if allowed.returncode == 0 else psutil.Process(owner.pid).nice()
        until = time.monotonic() + 20
        while witness.nice() != expected and time.monotonic() < until:
            time.sleep(0.01)
        assert witness.nice() == expected
        group = Path(f"/proc/{witness.pid}/autogroup")
        if group.exists() and allowed.returncode == 0:
            while group.read_text().split()[-1] != str(expected) and time.monotonic() < until:
                time.sleep(0.01)
            assert group.read_text().split()[-1] == str(expected)
        owner.stdin.close()


def test_a_connection_that_is_dropped_is_closed_although_the_witness_had_it() -> None:
    closed = threading.Event()

    def refuse(connection: socket.socket, _: scripted_server.Request) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n[]  surplus")
        if connection.recv(1) == b"":
            closed.set()

    with scripted_server.scripted(refuse) as server:
        asking.here(asking.Ask(server.url, model={"id": asking.NOVA, "api": "converse"}))
        assert closed.wait(10)


def test_many_connections_made_at_once_have_one_witness() -> None:
    program = """
from gevent import monkey; monkey.patch_all()
import gevent, psutil
from fmbench.bedrock.watching import watch
jobs = [gevent.spawn(watch) for _ in range(20)]
gevent.joinall(jobs, raise_error=True)
print(len({job.value.pid for job in jobs}), len(psutil.Process().children()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1"], done.stderr


class _BusyWitness:
    """A witness that cannot take the first socket it is handed, as when hundreds of connections are made at once."""

    def __init__(self) -> None:
        self.handed = 0
        self.looked_at: list[int] = []

    def take(self, raw: socket.socket) -> bool:
        self.handed += 1
        return self.handed > 1

    def look(self, number: int, request: int) -> bool:
        self.looked_at.append(number)
        return True

    def look_away(self, number: int) -> None: ...

    def forget(self, number: int) -> None: ...


def test_a_connection_that_the_witness_could_not_take_is_offered_with_its_next_request(monkeypatch: pytest.MonkeyPatch) -> None:
    witness = _BusyWitness()
    monkeypatch.setattr(arrivals, "watch", lambda: witness)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as connection:
        stamps = arrivals.Arrivals(connection, None)
        stamps.begin(Exchange(started_ns=time.monotonic_ns()))
        assert witness.looked_at == [connection.fileno()]
        stamps.close()


@pytest.mark.parametrize("reset", [True, False])
def test_a_reset_that_somebody_else_was_told_of_is_a_reset_all_the_same(monkeypatch: pytest.MonkeyPatch, reset: bool) -> None:
    """The kernel tells of a reset once. The witness holds the same connection, and may be the one that hears of it."""
    monkeypatch.setattr(arrivals, "watch", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as connection:
        peer, _ = listener.accept()
        stamps = arrivals.Arrivals(connection, None)
        stamps.begin(Exchange(started_ns=time.monotonic_ns(), sent_ns=time.monotonic_ns()))
        reader = ResponseReader(lambda head: SimpleNamespace(data=lambda *given: None))
        if reset:
            scripted_server.reset(peer)
            with socket.socket(fileno=os.dup(connection.fileno())) as other, pytest.raises(ConnectionResetError):
                other.recv(1)
            with pytest.raises(ConnectionResetError):
                stamps.feed(reader)
        else:
            peer.close()
            assert stamps.feed(reader)
        assert reader.short
        stamps.close()
