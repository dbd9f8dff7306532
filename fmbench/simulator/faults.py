"""What the endpoint does wrong on purpose: a function a kind. Each alters an answer that would have been whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from zlib import crc32

from fmbench.simulator import errors, frames, http
from fmbench.simulator.behaviour import Fault, FaultKind
from fmbench.simulator.errors import ServiceError
from fmbench.simulator.generation import Generation
from fmbench.simulator.script import Ending, Script, at_once

_PAGE = b"<html>\r\n<head><title>Bad Gateway</title></head>\r\n<body><center><h1>Bad Gateway</h1></center></body>\r\n</html>\r\n"

Strike = Callable[[Fault, Script, str], Script]
"""(fault, what would have been written, request id) → what is written."""

STREAM_ONLY = frozenset[FaultKind](
    {
        "throttle_in_stream",
        "model_stream_error",
        "internal_in_stream",
        "unavailable_in_stream",
        "validation_in_stream",
        "bad_crc",
        "no_message_stop",
    }
)
"""Faults that only a stream can show: answers that do not stream are spared."""

CHECKSUM_ONLY = frozenset[FaultKind]({"bad_crc"})
"""Faults that only messages with a checksum can show: server-sent events are spared."""


class FaultPlan:
    """Which of a model's requests meet which fault: by number, or drawn at a rate from a seed of its own."""

    def __init__(self, faults: Sequence[Fault], seed: str) -> None:
        self._faults = [(fault, Random(f"{seed}/{index}/{fault.kind}")) for index, fault in enumerate(faults)]

    def draw(self, number: int, spared: frozenset[FaultKind]) -> Fault | None:
        """The fault of the model's request ``number`` (from 1); the first that strikes and is not ``spared`` wins.

        Draws are made for all.
        """
        struck = [fault for fault, random in self._faults if _strikes(fault, number, random)]
        return next((fault for fault in struck if fault.kind not in spared), None)


def _strikes(fault: Fault, number: int, random: Random) -> bool:
    if fault.at is not None:
        return number in fault.at
    return random.random() < (fault.rate or 0.0)


def alter_generation(fault: Fault, generation: Generation) -> None:
    """Faults that a model's answer shows before it is put into any API's words."""
    if fault.kind == "guardrail":
        generation.stop_reason = "guardrail_intervened"
    elif fault.kind == "no_metadata":
        generation.tells_usage = False
    elif fault.kind == "no_message_stop":
        generation.tells_stop = False
    elif fault.kind == "wrong_content_type":
        generation.content_type = "text/plain"


def strike(fault: Fault, script: Script, request_id: str) -> Script:
    """The answer with ``fault`` in it."""
    script.whole = False
    return _STRIKES[fault.kind](fault, script, request_id)


def _error(problem: ServiceError) -> Strike:
    return lambda _fault, script, request_id: script.refuse(problem, request_id)


def _in_stream(problem: ServiceError) -> Strike:
    def apply(fault: Fault, script: Script, _request_id: str) -> Script:
        data = script.in_stream(problem) + frames.LAST_CHUNK
        _end_events(fault, script, data)
        script.error = problem.code
        return script

    return apply


def _broken(ending: Ending, partial: bool = False) -> Strike:
    """The answer stops after some events, within a frame when ``partial``; half of it when it does not stream."""

    def apply(fault: Fault, script: Script, _request_id: str) -> Script:
        script.ending = ending
        script.tells_usage = False
        if script.streams:
            rest = script.events[fault.after_events :]
            _end_events(fault, script, rest[0][: len(rest[0]) // 2] if partial and rest else b"")
        else:
            whole = script.tail
            script.tail = lambda spent: _half(whole(spent))
        return script

    return apply


def _clean_end(fault: Fault, script: Script, request_id: str) -> Script:
    """The stream ends early as if nothing were wrong; an answer with a length cannot, so its connection closes."""
    if not script.streams:
        return _broken(Ending.CLOSE)(fault, script, request_id)
    _end_events(fault, script, frames.LAST_CHUNK)
    return script


def _silence(ending: Ending) -> Strike:
    return lambda _fault, _script, _request_id: at_once(b"", status=0, error=None, ending=ending)


def _bad_crc(fault: Fault, script: Script, _request_id: str) -> Script:
    index = min(fault.after_events, len(script.events) - 1)
    script.tells_usage = False
    if index >= 0:
        script.events[index] = frames.with_bad_checksum(script.events[index])
    return script


def _stall_before(fault: Fault, script: Script, _request_id: str) -> Script:
    script.wait_ns = round(fault.seconds * 1e9)
    script.whole = True
    return script


def _stall(fault: Fault, script: Script, _request_id: str) -> Script:
    script.stall_at = min(fault.after_events, max(len(script.events) - 1, 0))
    script.stall_ns = round(fault.seconds * 1e9)
    script.whole = True
    return script


def _drip(fault: Fault, script: Script, _request_id: str) -> Script:
    rest = b"".join(script.events[fault.after_events :])
    whole = script.tail
    del script.events[fault.after_events :]
    script.tail = lambda spent: rest + whole(spent)
    script.drip_ns = round(fault.seconds * 1e9)
    script.whole = True
    return script


def _html_error(_fault: Fault, _script: Script, request_id: str) -> Script:
    status = 502 + crc32(request_id.encode()) % 2
    data = http.answer(status, {"content-type": "text/html", "server": "proxy"}, _PAGE)
    return at_once(data, status=status, error="html")


def _html_ok(_fault: Fault, _script: Script, _request_id: str) -> Script:
    data = http.answer(200, {"content-type": "text/html", "server": "proxy"}, _PAGE)
    return at_once(data, status=200, error="html")


def _as_generated(_fault: Fault, script: Script, _request_id: str) -> Script:
    return script


def _end_events(fault: Fault, script: Script, tail: bytes) -> None:
    del script.events[fault.after_events :]
    script.tail = lambda _spent: tail
    script.tells_usage = False


def _half(data: bytes) -> bytes:
    """All of the headers and half of the body."""
    head, separator, body = data.partition(b"\r\n\r\n")
    return head + separator + body[: len(body) // 2]


_STRIKES: dict[FaultKind, Strike] = {
    "throttle_requests": _error(errors.throttled(errors.TOO_MANY_REQUESTS)),
    "throttle_tokens": _error(errors.throttled(errors.TOO_MANY_TOKENS)),
    "throttle_daily": _error(errors.throttled(errors.TOO_MANY_TOKENS_A_DAY)),
    "throttle_in_stream": _in_stream(errors.throttled(errors.TOO_MANY_TOKENS)),
    "service_quota": _error(errors.SERVICE_QUOTA),
    "access_denied": _error(errors.ACCESS_DENIED),
    "expired_credentials": _error(errors.EXPIRED),
    "not_found": _error(errors.NOT_FOUND),
    "validation": _error(errors.INVALID_MODEL),
    "model_timeout": _error(errors.MODEL_TIMEOUT),
    "model_not_ready": _error(errors.MODEL_NOT_READY),
    "model_error": _error(errors.MODEL_ERROR),
    "model_stream_error": _in_stream(errors.MODEL_STREAM_ERROR),
    "internal": _error(errors.INTERNAL),
    "internal_in_stream": _in_stream(errors.INTERNAL),
    "service_unavailable": _error(errors.UNAVAILABLE),
    "unavailable_in_stream": _in_stream(errors.UNAVAILABLE),
    "validation_in_stream": _in_stream(errors.validation("The model produced an invalid output.")),
    "reset_before_response": _silence(Ending.RESET),
    "close_before_response": _silence(Ending.CLOSE),
    "reset_in_stream": _broken(Ending.RESET),
    "early_end": _clean_end,
    "cut_frame": _broken(Ending.CLOSE, partial=True),
    "bad_crc": _bad_crc,
    "stall_before_response": _stall_before,
    "stall_in_stream": _stall,
    "drip": _drip,
    "no_metadata": _as_generated,
    "no_message_stop": _as_generated,
    "html_error": _html_error,
    "html_ok": _html_ok,
    "wrong_content_type": _as_generated,
    "guardrail": _as_generated,
}
