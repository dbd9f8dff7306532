"""The record: one row a request, written where the request is made. Everything reported is computed from these rows.

Times are seconds; ``*_at`` are UTC epoch seconds; ``None`` means "not observed", never 0.
Durations come from one process's monotonic clock and never cross hosts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

from fmbench.core.failures import Answered, FailureKind, Outcome

SCHEMA_VERSION = "1.0"


@dataclass(slots=True, kw_only=True, frozen=True)
class Prompt:
    """One prompt as it is written to ``prompts/payload_<bucket>.jsonl``. ``tokens`` is the local count."""

    prompt_id: str
    text: str
    tokens: int
    dataset: str
    """The task that the row is from (``hotpotqa``, ``multi_news``, …)."""
    language: str
    answers: list[str] = field(default_factory=list)
    all_classes: list[str] | None = None
    shared: int | None = None
    """So many characters at the beginning are what other prompts have too: up to the end of the context."""


class Cell(NamedTuple):
    """One model × one bucket × one level of concurrency: the unit of a study."""

    number: int
    model: str
    model_id: str
    api: str
    dataset: str
    bucket: str
    concurrency: int
    block: int = 0
    """Which repeat of the study this is: 0 unless ``load.repeats`` or ``load.order`` ask for more."""
    rate_per_min: float | None = None
    """An open loop's mean rate; ``concurrency`` then is the most requests in flight. None: a closed loop of that many users."""

    @property
    def level(self) -> float:
        """How much load it is: requests a minute of an open loop, else users."""
        return self.concurrency if self.rate_per_min is None else self.rate_per_min

    route: str | None = None
    """Which of the model's routes it goes by; None: the model has no others."""


@dataclass(slots=True, kw_only=True)
class Usage:
    """The service's own token counts. ``input_tokens`` leaves out tokens read from or written to the cache."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    """How many of ``cache_write_tokens`` were written to be kept for an hour."""
    reasoning_tokens: int | None = None
    """Those of ``output_tokens`` that were reasoning, where the service says so."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """What one call to the service showed: stamps in nanoseconds of ``time.monotonic_ns``, and the answer's facts.

    ``sent_ns`` is ``None`` when no byte of the request reached a socket. ``failure`` is ``None`` only for a whole answer.
    """

    started_ns: int
    """When the call began, before serialising, signing and connecting."""
    sent_ns: int | None = None
    headers_ns: int | None = None
    first_content_ns: int | None = None
    first_text_ns: int | None = None
    first_content_read_ns: int | None = None
    """When the first content was read; None unless ``first_content_ns`` is the kernel's own stamp of its arrival."""
    last_content_ns: int | None = None
    ended_ns: int = 0
    ended_read_ns: int | None = None
    """When the end was read; None unless ``ended_ns`` and ``first_content_ns`` are by the kernel's stamps."""
    connect_s: float | None = None
    client_s: float | None = None
    """Seconds spent on serialising and signing, before the request went out."""
    content_ns: list[int] = field(default_factory=list)
    """When each event with content arrived."""
    received_bytes: int = 0
    usage: Usage = field(default_factory=Usage)
    server_latency_s: float | None = None
    stop_reason: str | None = None
    service_tier: str | None = None
    latency_mode: str | None = None
    service_tier_asked: str | None = None
    latency_mode_asked: str | None = None
    invoked_model: str | None = None
    """The model that a prompt router chose."""
    http_status: int | None = None
    request_id: str | None = None
    error_code: str | None = None
    """The service's own word for an error answer."""
    retry_after: str | None = None
    """What an error answer said of when to come back, as it said it."""
    failure: FailureKind | None = None
    message: str | None = None
    visible: bool = False
    """Whether there was text that is not blank."""
    reasoned: bool = False
    """Whether there was content of another kind: reasoning, a tool's input."""
    refused: bool = False
    """Whether the model said in so many words that it gives no answer: OpenAI's ``refusal``."""
    text: str | None = None
    """The answer's text; kept only when the caller was asked to keep it."""


@dataclass(slots=True, kw_only=True)
class Record:
    """One request, whole. Field order is column order."""

    run_id: str
    worker: str
    user: int
    seq: int
    model: str
    model_id: str
    api: str
    dataset: str
    bucket: str
    concurrency: int
    cell: int
    block: int
    phase: str
    task: str
    prompt_id: str
    attempt: int = 1
    intended_at: float | None = None
    sent_at: float | None = None
    ended_at: float | None = None
    connect_s: float | None = None
    client_s: float | None = None
    headers_s: float | None = None
    ttft_s: float | None = None
    ttft_read_s: float | None = None
    """As ``ttft_s``, but until the content was read; None unless ``ttft_s`` is by the kernel's stamp of its arrival."""
    ttft_text_s: float | None = None
    e2e_s: float | None = None
    e2e_read_s: float | None = None
    """As ``e2e_s``, but until the end was read; None unless ``e2e_s`` is by the kernel's stamps."""
    tpot_s: float | None = None
    content_events: int | None = None
    content_s: list[float] | None = None
    """When each event with content arrived, seconds after ``sent_at``."""
    prompt_tokens: int | None = None
    """The local count that put the prompt in its bucket."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    """How many of ``cache_write_tokens`` were written to be kept for an hour."""
    max_tokens: int | None = None
    server_latency_s: float | None = None
    stop_reason: str | None = None
    service_tier: str | None = None
    latency_mode: str | None = None
    answered: str | None = None
    """What the answer gave (``failures.Answered``); null unless ok."""
    outcome: str = Outcome.ABANDONED
    failure: str | None = None
    http_status: int | None = None
    request_id: str | None = None
    message: str | None = None
    usd: float | None = None
    region: str | None = None
    """The AWS region that the request was sent to; None: an endpoint of another kind."""
    reasoning_tokens: int | None = None
    service_tier_asked: str | None = None
    latency_mode_asked: str | None = None
    invoked_model: str | None = None
    rate_per_min: float | None = None
    """The mean rate of an open loop's cell; null in a closed loop."""
    route: str | None = None
    """Which of the model's routes it went by; null where there are no others."""
    paced_s: float | None = None
    """How long it was held back to stay under the quota; null where nothing is."""
    backoff_s: float | None = None
    """How long this attempt was held back on purpose before ``intended_at``: a backoff, a client's own limit of its rate."""

    def to_dict(self) -> dict[str, Any]:
        """The record as a plain dict in column order."""
        return asdict(self)


COLUMNS = tuple(column.name for column in fields(Record))


def seconds_between(start_ns: int | None, end_ns: int | None) -> float | None:
    """Seconds from one stamp to another; ``None`` when either was not observed."""
    if start_ns is None or end_ns is None:
        return None
    return (end_ns - start_ns) / 1e9


def time_per_output_token(exchange: Exchange) -> float | None:
    """(last content − first content) / (output tokens − 1), seconds; ``None`` under two tokens or two content stamps."""
    span = seconds_between(exchange.first_content_ns, exchange.last_content_ns)
    tokens = exchange.usage.output_tokens
    if span is None or tokens is None or tokens < 2 or len(exchange.content_ns) < 2:
        return None
    return span / (tokens - 1)


_CUT = frozenset(
    {
        *("malformed_model_output", "malformed_tool_use", "malformed_function_call", "malformed_response"),
        *("model_context_window_exceeded", "model_length", "error_limit", "error", "insufficient_system_resource", "user_cancel"),
    }
)
_AT_MAX_TOKENS = frozenset({"max_tokens", "max_output_tokens", "length"})
_FILTERED = frozenset(
    {
        *("content_filtered", "content_filter", "refusal", "error_toxic", "safety"),
        *("prohibited_content", "blocklist", "recitation", "spii"),
    }
)


def ended_at_max_tokens(stop_reasons: Mapping[str, int]) -> int:
    """How many answers ended because they were as long as allowed, of counts by stop reason, in any API's words."""
    return sum(count for reason, count in stop_reasons.items() if reason.lower() in _AT_MAX_TOKENS)


def answered(exchange: Exchange) -> Answered:
    """What a whole answer gave the one who asked."""
    reason = (exchange.stop_reason or "").lower()
    if reason in _CUT:
        return Answered.CUT
    if reason in _FILTERED or exchange.refused:
        return Answered.FILTERED
    if exchange.visible:
        return Answered.TEXT
    return Answered.REASONING_ONLY if exchange.reasoned or exchange.usage.reasoning_tokens else Answered.EMPTY


def record_of(
    cell: Cell,
    prompt: Prompt,
    *,
    run_id: str,
    worker: str,
    user: int,
    seq: int,
    phase: str,
    intended_at: float,
    max_tokens: int,
    region: str | None,
) -> Record:
    """The record of a request of ``cell`` with ``prompt`` to which nothing has happened yet."""
    return Record(
        run_id=run_id,
        worker=worker,
        user=user,
        seq=seq,
        model=cell.model,
        model_id=cell.model_id,
        api=cell.api,
        dataset=cell.dataset,
        bucket=cell.bucket,
        concurrency=cell.concurrency,
        cell=cell.number,
        block=cell.block,
        rate_per_min=cell.rate_per_min,
        route=cell.route,
        phase=phase,
        task=prompt.dataset,
        prompt_id=prompt.prompt_id,
        intended_at=intended_at,
        prompt_tokens=prompt.tokens,
        max_tokens=max_tokens,
        region=region,
    )


def complete(record: Record, exchange: Exchange, epoch_offset_ns: int) -> Record:
    """Fill ``record`` with what ``exchange`` showed, in place, and return it.

    ``epoch_offset_ns`` turns this process's monotonic stamps into UTC epoch nanoseconds.
    """
    sent = exchange.sent_ns
    record.sent_at = None if sent is None else (sent + epoch_offset_ns) / 1e9
    record.ended_at = (exchange.ended_ns + epoch_offset_ns) / 1e9
    _fill_durations(record, exchange)
    _fill_facts(record, exchange)
    record.outcome = Outcome.OK if exchange.failure is None else Outcome.FAILED
    record.failure = None if exchange.failure is None else str(exchange.failure)
    return record


def _fill_durations(record: Record, exchange: Exchange) -> None:
    sent = exchange.sent_ns
    record.connect_s = exchange.connect_s
    record.client_s = exchange.client_s
    record.headers_s = seconds_between(sent, exchange.headers_ns)
    record.ttft_s = seconds_between(sent, exchange.first_content_ns)
    record.ttft_read_s = seconds_between(sent, exchange.first_content_read_ns)
    record.ttft_text_s = seconds_between(sent, exchange.first_text_ns)
    record.e2e_s = seconds_between(sent, exchange.ended_ns)
    record.e2e_read_s = seconds_between(sent, exchange.ended_read_ns)
    record.tpot_s = time_per_output_token(exchange)
    record.content_events = len(exchange.content_ns) if sent is not None else None
    if sent is not None and exchange.content_ns:
        record.content_s = [(stamp - sent) // 1_000 / 1e6 for stamp in exchange.content_ns]  # whole microseconds


def _fill_facts(record: Record, exchange: Exchange) -> None:
    usage = exchange.usage
    record.input_tokens = usage.input_tokens
    record.output_tokens = usage.output_tokens
    record.cache_read_tokens = usage.cache_read_tokens
    record.cache_write_tokens = usage.cache_write_tokens
    record.cache_write_1h_tokens = usage.cache_write_1h_tokens
    record.reasoning_tokens = usage.reasoning_tokens
    record.server_latency_s = exchange.server_latency_s
    record.stop_reason = exchange.stop_reason
    record.answered = None if exchange.failure is not None else str(answered(exchange))
    record.service_tier = exchange.service_tier
    record.latency_mode = exchange.latency_mode
    record.service_tier_asked = exchange.service_tier_asked
    record.latency_mode_asked = exchange.latency_mode_asked
    record.invoked_model = exchange.invoked_model
    record.http_status = exchange.http_status
    record.request_id = exchange.request_id
    record.message = exchange.message
