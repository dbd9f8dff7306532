"""From a request to its answer: the route, the key, the model, the quota, the fault; one row in the ledger each."""

from __future__ import annotations

import gc
import hmac
from base64 import b64decode
from collections.abc import Callable, Iterator
from hashlib import sha256
from random import Random
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import orjson

from fmbench.config.simulator import Fault, FaultKind, Simulator
from fmbench.simulator import chat_completions, errors, faults, http, replies
from fmbench.simulator.asks import Ask, Json, read_body, read_converse
from fmbench.simulator.errors import ServiceError
from fmbench.simulator.families import family_of
from fmbench.simulator.generation import Generation
from fmbench.simulator.http import Connection, Request
from fmbench.simulator.ledger import Ledger, Row
from fmbench.simulator.playing import Playing, Serving
from fmbench.simulator.script import Script
from fmbench.simulator.served import ServedModel
from fmbench.simulator.timers import Timers

_OF_A_MODEL = frozenset({"converse", "converse-stream", "invoke", "invoke-with-response-stream", "count-tokens"})
"""Operations whose path names the model."""
OPERATIONS = _OF_A_MODEL | {chat_completions.OPERATION}
_STREAMS = frozenset({"converse-stream", "invoke-with-response-stream"})
_JSON_HEADERS = {"content-type": "application/json"}


class Service:
    """The endpoint behind the sockets."""

    def __init__(self, config: Simulator, timers: Timers) -> None:
        self._config = config
        self._timers = timers
        self._ledger = Ledger()
        self._models: dict[str, ServedModel] = {}
        self._ids = _request_ids(config.seed)
        self._admin: dict[tuple[str, str], Callable[[Request], bytes]] = {
            ("GET", "/_simulator/ledger"): self._give_ledger,
            ("GET", "/_simulator/counts"): self._give_counts,
            ("POST", "/_simulator/reset"): self._reset,
        }

    def handle(self, connection: Connection, request: Request) -> None:
        """Answer ``request`` on ``connection``, now or in time."""
        if request.target.startswith("/_simulator/"):
            connection.write(self._administer(request))
            connection.finish(request.keep_alive)
            return
        model_id, operation = _route(request)
        row = self._open_row(connection, request, model_id, operation)
        try:
            playing = self._play(connection, request, row)
        except ServiceError as problem:
            playing = self._told(connection, request, row, replies.error(problem, row.request_id))
        playing.start()

    def _open_row(self, connection: Connection, request: Request, model_id: str | None, operation: str) -> Row:
        return self._ledger.open(
            operation=operation,
            model=model_id,
            connection=connection.number,
            request_id=next(self._ids),
            invocation_id=request.headers.get("amz-sdk-invocation-id") or request.headers.get("x-request-id"),
            received_ns=request.first_byte_ns,
            complete_ns=request.complete_ns,
        )

    def _play(self, connection: Connection, request: Request, row: Row) -> Playing:
        if row.operation not in OPERATIONS:
            raise errors.unknown_operation()
        self._check_key(request)
        body = read_body(request.body)
        model_id = row.model = chat_completions.model_of(body) if row.model is None else row.model
        try:
            ask = _read(row, request, body)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise errors.malformed() from error
        if row.operation == "count-tokens":
            return self._told(connection, request, row, replies.count_tokens(ask.tokens, row.request_id))
        model = self._model(model_id)
        _note(row, ask, model)
        return self._serve(connection, request, row, body, ask, model)

    def _serve(self, connection: Connection, request: Request, row: Row, body: Json, ask: Ask, model: ServedModel) -> Playing:
        fault = model.draw_fault(model.number(), _spared(row.operation, body))
        generation = model.generate(ask, row.request_id)
        reserved = generation.prompt_tokens + model.limit(ask)
        if fault is None:
            model.admission.admit(reserved)
        script = _script(generation, row.operation, body, fault)
        if fault is not None:
            row.fault = fault.kind
        row.prompt_tokens = generation.prompt_tokens
        if not script.served:
            return self._told(connection, request, row, script)

        def settle(playing: Playing) -> None:
            _tell(row, generation, playing.script)
            if fault is None:
                model.admission.settle(model.limit(ask) - row.tokens_sent)
            self._ledger.close(row)

        pace = model.pace(generation)
        return Serving(connection, self._timers, row, script, settle, request.keep_alive, model, pace)

    def _told(self, connection: Connection, request: Request, row: Row, script: Script) -> Playing:
        return Playing(connection, self._timers, row, script, self._close, request.keep_alive)

    def _close(self, playing: Playing) -> None:
        playing.row.completed = playing.script.whole and not playing.row.client_gone
        self._ledger.close(playing.row)

    def _model(self, model_id: str) -> ServedModel:
        model = self._models.get(model_id)
        if model is None:
            model = ServedModel(model_id, self._config.profile_of(model_id), self._config.seed)
            self._models[model_id] = model
        return model

    def _check_key(self, request: Request) -> None:
        key = self._config.bearer_key
        given = request.headers.get("authorization", "")
        if key is not None and not hmac.compare_digest(given.encode(), f"Bearer {key}".encode()):
            raise errors.wrong_key()

    def _administer(self, request: Request) -> bytes:
        do = self._admin.get((request.method, urlsplit(request.target).path))
        if do is None:
            return http.answer(404, _JSON_HEADERS, orjson.dumps({"message": "no such page"}))
        return do(request)

    def _give_ledger(self, request: Request) -> bytes:
        since = parse_qs(urlsplit(request.target).query).get("since", ["0"])[0]
        if not since.isdecimal():
            return http.answer(400, _JSON_HEADERS, orjson.dumps({"message": "since takes the number of a row"}))
        return http.answer(200, {"content-type": "application/jsonl"}, self._ledger.lines(int(since)))

    def _give_counts(self, _request: Request) -> bytes:
        return http.answer(200, _JSON_HEADERS, orjson.dumps(self._ledger.counts()))

    def _reset(self, _request: Request) -> bytes:
        """Everything from the start again: rows, models with their quotas, caches and draws."""
        self._ledger.reset()
        self._models.clear()
        gc.collect()
        return http.answer(200, _JSON_HEADERS, b"{}")


def _request_ids(seed: int) -> Iterator[str]:
    random = Random(f"{seed}/request ids")
    while True:
        yield str(UUID(int=random.getrandbits(128), version=4))


def _route(request: Request) -> tuple[str | None, str]:
    """(model id, operation); no model id when the path names none."""
    path = urlsplit(request.target).path
    if request.method == "POST" and path == chat_completions.PATH:
        return None, chat_completions.OPERATION
    parts = path.split("/")
    known = request.method == "POST" and len(parts) >= 4 and parts[1] == "model" and parts[-1] in _OF_A_MODEL
    if not known:
        return None, f"{request.method} {path}"[:200]
    return unquote("/".join(parts[2:-1])), parts[-1]


def _spared(operation: str, body: Json) -> frozenset[FaultKind]:
    """The faults that an answer of this operation has no way to show."""
    if operation == chat_completions.OPERATION and chat_completions.streams(body):
        return faults.CHECKSUM_ONLY
    return frozenset() if operation in _STREAMS else faults.STREAM_ONLY


def _read(row: Row, request: Request, body: Json) -> Ask:
    if row.operation == chat_completions.OPERATION:
        return chat_completions.read(body)
    if row.operation.startswith("converse"):
        return read_converse(body)
    if row.operation == "count-tokens":
        return _read_counted(row.model or "", body)
    ask = family_of(row.model or "", body).read(body)
    ask.latency = request.headers.get("x-amzn-bedrock-performanceconfig-latency")
    ask.tier = request.headers.get("x-amzn-bedrock-service-tier")
    return ask


def _note(row: Row, ask: Ask, model: ServedModel) -> None:
    prompt = ask.text.encode()
    row.prompt_sha256 = sha256(prompt).hexdigest()
    row.prompt_bytes = len(prompt)
    row.max_tokens = model.limit(ask)


def _script(generation: Generation, operation: str, body: Json, fault: Fault | None) -> Script:
    if fault is not None:
        faults.alter_generation(fault, generation)
    script = _WRITERS[operation](generation, body)
    return script if fault is None else faults.strike(fault, script, generation.request_id)


_WRITERS: dict[str, Callable[[Generation, Json], Script]] = {
    "converse": lambda generation, _body: replies.converse(generation),
    "converse-stream": lambda generation, _body: replies.converse_stream(generation),
    "invoke": lambda generation, body: replies.invoke(generation, family_of(generation.model_id, body)),
    "invoke-with-response-stream": lambda generation, body: replies.invoke_stream(
        generation, family_of(generation.model_id, body)
    ),
    chat_completions.OPERATION: chat_completions.write,
}


def _read_counted(model_id: str, body: Json) -> Ask:
    asked = body.get("input") or {}
    if "converse" in asked:
        return read_converse(asked["converse"])
    if "invokeModel" not in asked:
        raise errors.validation("The input must hold either converse or invokeModel.")
    inner = read_body(b64decode(asked["invokeModel"]["body"]))
    return family_of(model_id, inner).read(inner)


def _tell(row: Row, generation: Generation, script: Script) -> None:
    """What became of the answer: tokens sent, and told."""
    whole = not row.client_gone
    row.completed = whole and script.whole
    streamed = min(len(row.content_ns) * generation.tokens_per_event, generation.output_tokens)
    row.tokens_sent = streamed if script.streams else generation.output_tokens * row.completed
    if whole and generation.tells_stop and script.tells_usage == generation.tells_usage:
        row.stop_reason = generation.stop_reason
    if whole and script.tells_usage:
        row.input_tokens, row.output_tokens = generation.input_tokens, generation.output_tokens
        row.cache_read_tokens, row.cache_write_tokens = generation.cache_read_tokens, generation.cache_write_tokens
