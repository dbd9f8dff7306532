"""One prompt to Bedrock and back, measured: ``prepare`` once a prompt, ``call`` once a request.

The clock's rules. ``started_ns``: the call begins. ``client_s``: salting, hashing, signing. ``connect_s``: DNS, TCP and TLS
of a new connection. ``sent_ns``: just before the request's bytes go to the socket; all latencies count from there. An
event's stamp is taken when the bytes that make it whole have been read. ``ended_ns``: the last byte of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from time import monotonic_ns
from typing import Any

from fmbench.bedrock import faults
from fmbench.bedrock.answers import StreamFault
from fmbench.bedrock.apis import api_of
from fmbench.bedrock.arrivals import Arrivals
from fmbench.bedrock.carrying import check_carried
from fmbench.bedrock.client import AWS, Serialiser, build_client, service_url
from fmbench.bedrock.client import Endpoint as Endpoint
from fmbench.bedrock.client import check_credentials as check_credentials
from fmbench.bedrock.connections import Connections
from fmbench.bedrock.deadlines import Deadlines
from fmbench.bedrock.faults import DeadlineReached, Fault, Phase
from fmbench.bedrock.http1 import ResponseReader
from fmbench.bedrock.request import Asked, Preparer
from fmbench.bedrock.request import PreparedCall as PreparedCall
from fmbench.bedrock.standing import STANDING
from fmbench.bedrock.waiting import waiting
from fmbench.config.schema import CachePoints, Inference, Model, Timeouts
from fmbench.core.failures import FailureKind
from fmbench.core.model_facts import DEFAULT_MAX_TOKENS
from fmbench.core.records import Exchange, Prompt

STOOD_STILL = "this load process stood still meanwhile"


class Caller:
    """Asks one model, from any number of greenlets or threads at a time."""

    def __init__(
        self,
        model: Model,
        inference: Inference,
        region: str | None,
        timeouts: Timeouts,
        pool_size: int,
        keep_text: bool = False,
        endpoint: Endpoint = AWS,
        points: CachePoints | None = None,
    ) -> None:
        self._inference = model.asked(inference)
        self._timeouts = timeouts
        self._keep_text = keep_text
        check_carried(model)
        client = build_client(model.region or region, endpoint, timeouts, pool_size)
        self._asked = Asked.of(self._inference)
        self._url: str = service_url(client, model.endpoint, endpoint)
        self._preparer = Preparer(api_of(model), model, self._inference, Serialiser(client, self._url), points)
        self._connections = Connections(client, self._url)
        self._waiting = waiting()

    @property
    def url(self) -> str:
        """Where requests go, as boto3 found it."""
        return self._url

    @property
    def max_tokens(self) -> int:
        """How many tokens an answer may have."""
        return self._inference.max_tokens or DEFAULT_MAX_TOKENS

    def prepare(self, prompt: Prompt, salted: bool, metadata: Mapping[str, str] | None = None) -> PreparedCall:
        """Serialise and validate a prompt, once. Raises ``UnusableInput`` for what boto3 refuses.

        ``metadata`` goes into the invocation log with each request, where the API has a place for it.
        """
        return self._preparer.prepare(prompt, salted, self._connections.request_line, metadata)

    def prepare_sized(self, prompt: Prompt, max_tokens: int, metadata: Mapping[str, str] | None = None) -> PreparedCall:
        """As ``prepare``, salted, for an answer of at most ``max_tokens`` in place of the model's own."""
        sized = self._preparer.with_max_tokens(max_tokens)
        return sized.prepare(prompt, True, self._connections.request_line, metadata)

    def call(self, prepared: PreparedCall, salt: str | None) -> Exchange:
        """Send the request and read its answer to the end.

        Blocks its greenlet. Whatever the network or the service does is in the ``Exchange``; ``ValueError`` is raised for a
        salt that does not fit, and a killed greenlet's exit passes through with the connection closed.
        """
        return _Call(self, self._connections, prepared).run(salt)

    def close(self) -> None:
        """Close the connections that are kept for further requests."""
        self._connections.close()


class _Call:
    """One request on its way."""

    __slots__ = ("_answer", "_arrivals", "_caller", "_connection", "_connections", "_exchange", "_phase", "_prepared", "_reader")

    def __init__(self, caller: Caller, connections: Connections, prepared: PreparedCall) -> None:
        self._caller = caller
        self._connections = connections
        self._prepared = prepared
        self._exchange = caller._asked.exchange(monotonic_ns())
        self._answer = prepared.answer(self._exchange, caller._keep_text)
        self._reader = ResponseReader(self._answer.begin)
        self._phase = Phase.SIGNING
        self._connection: Any = None
        self._arrivals: Arrivals | None = None

    def run(self, salt: str | None) -> Exchange:
        """The whole request."""
        body = self._prepared.body(salt)
        fault: Fault | None
        try:
            self._send(self._signed(body))
            self._read()
            fault = self._answer.finish(self._reader.short)
        except StreamFault as error:
            fault = error.fault
        except Exception as error:
            fault = self._fault_of(error)
        finally:
            self._release()
        return self._finished(fault)

    def _signed(self, body: bytes) -> bytes:
        self._caller._waiting.turn()
        began = monotonic_ns()
        data = self._prepared.envelope.seal(body)
        self._exchange.client_s = (monotonic_ns() - began) / 1e9
        return data

    def _send(self, data: bytes) -> None:
        timeouts = self._caller._timeouts
        self._phase = Phase.CONNECTING
        self._connection = self._connections.take()
        if self._connection.is_closed:
            with self._caller._waiting.limit(timeouts.connect_s):
                self._exchange.connect_s = self._connections.open(self._connection, timeouts.connect_s)
        self._phase = Phase.WAITING
        self._connection.sock.settimeout(min(timeouts.first_byte_s, timeouts.total_s))
        self._arrivals = arrivals = self._connections.arrivals(self._connection)
        if arrivals is not None:
            arrivals.begin(self._exchange)
        self._exchange.sent_ns = monotonic_ns()
        with suppress(ConnectionError):  # who refuses a request before it is whole may have answered: reading tells
            sent = self._connection.sock.send(data)
            if sent < len(data):
                self._connection.sock.sendall(memoryview(data)[sent:])
        if arrivals is not None:
            arrivals.sent(len(data))

    def _read(self) -> None:
        sent_ns = self._exchange.sent_ns
        assert sent_ns is not None
        deadlines = Deadlines(sent_ns, self._caller._timeouts)
        self._caller._waiting.read(self._connection.sock, self._reader, deadlines, self._arrivals)
        if self._reader.head is None:
            raise ConnectionResetError("the connection was closed before an answer")

    def _fault_of(self, error: Exception) -> Fault | None:
        """The word for ``error``; None when the answer was whole before it struck."""
        if self._answer.whole and isinstance(error, (OSError, DeadlineReached)):
            return self._answer.finish(short=True)
        if self._reader.head is not None:
            self._phase = Phase.STREAMING
        return faults.of_exception(error, self._phase)

    def _release(self) -> None:
        """Reuse the connection after a whole answer; close it in every other case."""
        if self._connection is None:
            return
        if self._arrivals is not None:
            self._arrivals.end()
        if self._reader.done and self._reader.reusable:
            self._connections.give_back(self._connection)
        else:
            self._connections.drop(self._connection)

    def _finished(self, fault: Fault | None) -> Exchange:
        exchange, reader = self._exchange, self._reader
        if fault is not None and STANDING.caused(fault.kind, exchange.started_ns, monotonic_ns()):
            fault = Fault(FailureKind.STALLED, f"{STOOD_STILL}: {fault.message}", fault.code)
        exchange.received_bytes = reader.received
        exchange.headers_ns = reader.head_ns
        if exchange.content_ns:
            exchange.first_content_ns, exchange.last_content_ns = exchange.content_ns[0], exchange.content_ns[-1]
        over = fault is None or reader.done  # an error answer is over with its last byte, too, however late it is read
        now = monotonic_ns()
        exchange.ended_ns = reader.last_ns if over and reader.last_ns is not None else now
        stamps = None if exchange.first_content_read_ns is None else self._arrivals
        exchange.ended_read_ns = now if over and stamps is not None and stamps.stamped(exchange.ended_ns) else None
        if fault is not None:
            exchange.failure = fault.kind
            exchange.error_code = fault.code or None
            exchange.message = faults.safe_message(fault.message, self._prepared.prompt.text)
        return exchange
