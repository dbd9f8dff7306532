"""Locust's sockets, made safe: what strangers send to a master is ignored and counted, and with a secret they cannot send at all.

The secret of a run (``FMBENCH_SECRET``, or a file named by ``FMBENCH_SECRET_FILE``) becomes the key pair of the master's ZeroMQ
socket (CurveZMQ): who does not know it can neither speak to the master nor pose as it, and everything is encrypted on the way.
"""

from __future__ import annotations

import hashlib
import logging
import time
from typing import Any

import zmq.green as zmq
from locust.exception import RPCError
from locust.rpc import Message, zmqrpc
from locust.runners import STATE_CLEANUP, STATE_INIT, STATE_RUNNING, STATE_SPAWNING, STATE_STOPPED, STATE_STOPPING
from zmq.utils import z85

from fmbench.load.contact import CONTACT
from fmbench.load.protocol import IGNORED, PREFIX, REPLIES
from fmbench.load.secret import secret
from fmbench.load.wire import Malformed, from_plain

log = logging.getLogger(__name__)

LARGEST_MESSAGE = 64 << 20
WORKER_STATES = {STATE_INIT, STATE_SPAWNING, STATE_RUNNING, STATE_CLEANUP, STATE_STOPPING, STATE_STOPPED}

ASKED = "asked_ns"
"""In a heartbeat: when the load process sent it, by its own ``time.monotonic_ns``; in the answer: of the one that is answered."""


ADMITTED: set[str] = set()
"""The client ids of the load processes that take part: only theirs are Locust's statistics, users and errors."""


def install() -> None:
    """Have Locust use these sockets. Before a runner is made."""
    for name, socket in (("Server", Server), ("Client", Client)):
        setattr(zmqrpc, name, socket)


def _master_keys(shared: str) -> tuple[bytes, bytes]:
    private = z85.encode(hashlib.sha256(b"fmbench-load master\0" + shared.encode()).digest())
    return zmq.curve_public(private), private


class Server(zmqrpc.Server):
    """The master's socket: gives Locust only messages that a load process can have sent."""

    def __init__(self, host: str, port: int) -> None:
        zmqrpc.BaseSocket.__init__(self, zmq.ROUTER, self.ipv4_only(host, port))  # type: ignore[no-untyped-call]
        self.socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
        shared = secret()
        if shared is not None:
            self.socket.curve_server = True
            self.socket.curve_secretkey = _master_keys(shared)[1]
        self.port = self._bind(host, port)
        self._asked: tuple[str | None, int | None] = (None, None)

    def _bind(self, host: str, port: int) -> int:
        try:
            if port == 0:
                return int(self.socket.bind_to_random_port(f"tcp://{host}"))
            self.socket.bind(f"tcp://{host}:{port}")
        except zmq.ZMQError as error:
            raise RPCError(f"Socket bind failure: {error}") from None
        return port

    def recv_from_client(self) -> tuple[str, Message]:
        """The next message that can be a load process's."""
        while True:
            try:
                frames = self.socket.recv_multipart()
            except zmq.ZMQError as error:
                raise RPCError("ZMQ network broken") from error
            message = checked(frames)
            if message is not None:
                if message.type == "heartbeat":
                    self._asked = message.node_id, _asked(message)
                return message.node_id, message

    def send_to_client(self, msg: Message) -> None:
        """Send; a heartbeat says which one it answers (Locust answers each before it takes the next message)."""
        node, asked = self._asked
        if msg.type == "heartbeat" and msg.node_id == node and asked is not None:
            msg.data = {ASKED: asked}
        super().send_to_client(msg)


class Client(zmqrpc.Client):
    """A load process's socket."""

    def __init__(self, host: str, port: int, identity: str) -> None:
        zmqrpc.BaseSocket.__init__(self, zmq.DEALER, self.ipv4_only(host, port))  # type: ignore[no-untyped-call]
        self.socket.setsockopt(zmq.IDENTITY, identity.encode())
        shared = secret()
        if shared is not None:
            self.socket.curve_publickey, self.socket.curve_secretkey = zmq.curve_keypair()
            self.socket.curve_serverkey = _master_keys(shared)[0]
        self.socket.connect(f"tcp://{host}:{port}")

    def send(self, msg: Message) -> None:
        """Send; a heartbeat says when it was sent."""
        if msg.type == "heartbeat":
            msg.data[ASKED] = time.monotonic_ns()
        super().send(msg)

    def recv(self) -> Message:
        """The master's next message; bytes that are none are ignored and counted."""
        while True:
            try:
                data = self.socket.recv()
            except zmq.ZMQError as error:
                raise RPCError("ZMQ network broken") from error
            message = _unpacked(data)
            if message is not None:
                if message.type == "heartbeat" and (asked := _asked(message)) is not None:
                    CONTACT.asked_ns = asked
                return message


def _asked(heartbeat: Message) -> int | None:
    found = heartbeat.data.get(ASKED) if isinstance(heartbeat.data, dict) else None
    return found if isinstance(found, int) else None


def checked(frames: list[bytes]) -> Message | None:
    """The message of these frames; None, counted, when no load process can have sent it."""
    if len(frames) != 2:
        return _ignored("frames that are no message")
    message = _unpacked(frames[1])
    if message is None:
        return None
    if (message.node_id or "").encode(errors="replace") != frames[0]:
        return _ignored("a message in another's name")
    return message if _fits(message) else _ignored("a message that Locust does not know")


def _unpacked(data: bytes) -> Message | None:
    try:
        message = Message.unserialize(data)  # type: ignore[no-untyped-call]
    except Exception:
        # whatever msgpack, its hooks or the three-part message can raise on a stranger's bytes
        return _ignored("bytes that are no message")
    named = isinstance(message.type, str) and isinstance(message.node_id, str | None)
    return message if named else _ignored("bytes that are no message")


def _ignored(why: str) -> Message | None:
    IGNORED.count(why)
    if IGNORED.total in (1, 10, 100, 1000):
        log.warning("ignored so far: %s", dict(IGNORED.by_reason))
    return None


def _fits(message: Message) -> bool:
    """Whether Locust's master can take in ``message`` without harm."""
    kind, data, admitted = message.type, message.data, message.node_id in ADMITTED
    if kind.startswith(PREFIX):
        return kind.removeprefix(PREFIX) in REPLIES
    if kind == "client_ready":
        return isinstance(data, str) and bool(data) and len(data) < 100
    if kind in ("quit", "client_stopped", "spawning"):
        return data is None
    if kind == "heartbeat":
        return _is_heartbeat(data)
    if kind in ("spawning_complete", "stats"):
        return _counts_users(data, admitted) and (admitted or kind != "stats")
    return admitted and kind in ("exception", "logs") and _texts(kind, data)


def _is_heartbeat(data: Any) -> bool:
    if not isinstance(data, dict) or not _is(str, data.get("state")) or data["state"] not in WORKER_STATES:
        return False
    return (
        all(_is(float, data.get(key, 0)) for key in ("current_cpu_usage", "current_memory_usage")) and "current_cpu_usage" in data
    )


def _counts_users(data: Any, admitted: bool) -> bool:
    """Users by class; a process that does not take part has none."""
    counts = data.get("user_classes_count") if isinstance(data, dict) else None
    if not isinstance(counts, dict) or not _is(dict[str, int], counts) or not _is(int, data.get("user_count", 0)):
        return False
    return all(count >= 0 for count in counts.values()) and (admitted or not any(counts.values()))


def _texts(kind: str, data: Any) -> bool:
    if kind == "exception":
        return isinstance(data, dict) and _is(str, data.get("msg")) and _is(str, data.get("traceback"))
    return isinstance(data, dict) and _is(str, data.get("worker_id")) and _is(list[str], data.get("logs"))


def _is(kind: Any, value: Any) -> bool:
    try:
        from_plain(kind, value)
    except Malformed:
        return False
    return True
