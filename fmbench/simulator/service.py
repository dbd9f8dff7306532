"""From a request to its answer: the route, the key, the model, the quota, the fault; one row in the ledger each."""

from __future__ import annotations

import gc
import hmac
from collections.abc import Callable, Iterator
from hashlib import sha256
from random import Random
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import orjson

from fmbench.simulator import errors, faults, http, model_lists, replies
from fmbench.simulator.apis import route
from fmbench.simulator.apis.base import Api
from fmbench.simulator.asks import Ask, Json, model_of, read_body
from fmbench.simulator.behaviour import Fault, Simulator
from fmbench.simulator.errors import ServiceError
from fmbench.simulator.generation import Generation
from fmbench.simulator.http import Connection, Request
from fmbench.simulator.ledger import Ledger, Row
from fmbench.simulator.playing import Playing, Serving
from fmbench.simulator.script import Script
from fmbench.simulator.served import ServedModel
from fmbench.simulator.timers import Timers

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
        path = urlsplit(request.target).path
        if request.method == "GET" and self._lists(connection, request, path):
            return
        api, model_id = route(request.method, path)
        operation = f"{request.method} {path}"[:200] if api is None else api.operation
        row = self._open_row(connection, request, model_id, operation)
        try:
            playing = self._play(connection, request, row, api)
        except ServiceError as problem:
            refuse = replies.error if api is None else api.error
            playing = self._told(connection, request, row, refuse(problem, row.request_id))
        playing.start()

    def _lists(self, connection: Connection, request: Request, path: str) -> bool:
        """Answer where ``path`` is of a list of models; whether it is."""
        page = model_lists.listed(path, [*self._config.models, *self._models])
        if page is None:
            return False
        try:
            self._check_key(request)
        except ServiceError as problem:
            page = problem.status, problem.content
        connection.write(http.answer(page[0], _JSON_HEADERS, orjson.dumps(page[1])))
        connection.finish(request.keep_alive)
        return True

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

    def _play(self, connection: Connection, request: Request, row: Row, api: Api | None) -> Playing:
        if api is None:
            raise errors.unknown_operation()
        self._check_key(request)
        body = read_body(request.body)
        model_id = row.model = model_of(body) if row.model is None else row.model
        try:
            ask = api.read(request, model_id, body)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise errors.malformed() from error
        if api.count is not None:
            return self._told(connection, request, row, api.count(ask.tokens, row.request_id))
        model = self._model(model_id)
        _note(row, ask, model)
        model.check(ask, api.operation)
        return self._serve(connection, request, row, api, body, ask, model)

    def _serve(
        self, connection: Connection, request: Request, row: Row, api: Api, body: Json, ask: Ask, model: ServedModel
    ) -> Playing:
        fault = model.draw_fault(model.number(), api.spared(body))
        generation = model.generate(ask, row.request_id)
        ticket = None if fault is not None else model.admission.admit(generation.prompt_tokens, model.limit(ask))
        script = _script(generation, api, body, fault)
        if fault is not None:
            row.fault = fault.kind
        row.prompt_tokens = generation.prompt_tokens
        if not script.served:
            return self._told(connection, request, row, script)

        def settle(playing: Playing) -> None:
            _tell(row, generation, playing.script)
            if ticket is not None:
                model.admission.settle(ticket, row.tokens_sent, generation.cache_read_tokens or 0)
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


def _note(row: Row, ask: Ask, model: ServedModel) -> None:
    prompt = ask.text.encode()
    row.prompt_sha256 = sha256(prompt).hexdigest()
    row.prompt_bytes = len(prompt)
    row.max_tokens = model.limit(ask)


def _script(generation: Generation, api: Api, body: Json, fault: Fault | None) -> Script:
    if fault is not None:
        faults.alter_generation(fault, generation)
    script = api.write(generation, body)
    script.refuse = api.error
    return script if fault is None else faults.strike(fault, script, generation.request_id)


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
