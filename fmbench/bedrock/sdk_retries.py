"""boto3's own retries, by its mode: legacy, standard or adaptive. Nothing is sent through it.

botocore decides after every attempt by what it calls ``needs-retry``; the handlers that a client of that mode registers are asked
here with what each of our attempts showed, as botocore's endpoint asks them. So an attempt is a record, and the decision, the
wait, the retry quota and the client's own limit of its rate are the SDK's.
"""

from __future__ import annotations

from typing import Any

from botocore import exceptions
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config as ClientConfig

from fmbench.bedrock.client import LOCAL_REGION, SERVICE, client_of
from fmbench.core.failures import FailureKind
from fmbench.core.records import Exchange

OPERATIONS = {
    "converse": "Converse",
    "converse-stream": "ConverseStream",
    "invoke": "InvokeModel",
    "invoke-stream": "InvokeModelWithResponseStream",
}
_KEY = "fmbench-local"
_URL = "https://bedrock-runtime"
_NEVER_SENT = {
    FailureKind.DNS: exceptions.EndpointConnectionError(endpoint_url=_URL),
    FailureKind.CONNECT: exceptions.EndpointConnectionError(endpoint_url=_URL),
    FailureKind.TLS: exceptions.SSLError(endpoint_url=_URL, error=OSError("TLS")),
    FailureKind.TIMEOUT_CONNECT: exceptions.ConnectTimeoutError(endpoint_url=_URL),
    FailureKind.TIMEOUT_FIRST_BYTE: exceptions.ReadTimeoutError(endpoint_url=_URL),
    FailureKind.RESET_BEFORE_RESPONSE: exceptions.ConnectionClosedError(endpoint_url=_URL),
}
"""What botocore raises where no answer began."""
_BROKEN_OFF = {
    FailureKind.TIMEOUT_BETWEEN_BYTES: exceptions.ReadTimeoutError(endpoint_url=_URL),
    FailureKind.TIMEOUT_TOTAL: exceptions.ReadTimeoutError(endpoint_url=_URL),
    FailureKind.RESET_IN_STREAM: exceptions.ResponseStreamingError(error="reset"),
    FailureKind.TRUNCATED: exceptions.ResponseStreamingError(error="truncated"),
}
"""What it raises where an answer in one body broke off. In a stream it has returned by then, and retries nothing."""


class SdkRetries:
    """One client's retries: its quota of retries and its rate are shared by all requests of this object.

    ``attempts`` None: what the SDK is configured to (``AWS_MAX_ATTEMPTS``, the profile, else its own default).
    """

    def __init__(self, mode: str, attempts: int | None, api: str) -> None:
        retries: Any = {"mode": mode} | ({} if attempts is None else {"total_max_attempts": attempts})
        keys = {"aws_access_key_id": _KEY, "aws_secret_access_key": _KEY, "endpoint_url": _URL}
        client = client_of({"region_name": LOCAL_REGION, **keys}, ClientConfig(retries=retries))
        self._events = client.meta.events
        self._operation = client.meta.service_model.operation_model(OPERATIONS[api])
        self._streams = api.endswith("-stream")
        self.holds = mode == "adaptive"
        """Whether the client limits its own rate."""

    def request(self) -> SdkRequest:
        """The attempts of one request."""
        return SdkRequest(self)

    def emit(self, event: str, **facts: Any) -> Any:
        """Ask the client's handlers; the first answer that is not None."""
        answers = self._events.emit(f"{event}.{SERVICE}.{self._operation.name}", **facts)
        return next((answer for _, answer in answers if answer is not None), None)

    def seen(self, exchange: Exchange) -> tuple[tuple[AWSResponse, dict[str, Any]] | None, Exception | None] | None:
        """An attempt as botocore sees it: an answer or an exception; None for what it sees as neither."""
        if exchange.http_status is None or (not self._streams and exchange.failure in _BROKEN_OFF):
            caught = (_NEVER_SENT | _BROKEN_OFF).get(exchange.failure) if exchange.failure else None
            return None if caught is None else (None, caught)
        return (_answer(exchange), None)


class SdkRequest:
    """One request's attempts, as the SDK counts them."""

    def __init__(self, retries: SdkRetries) -> None:
        self._retries = retries
        self.holds = retries.holds
        self._context: dict[str, Any] = {}

    def hold(self) -> None:
        """Wait as long as the client's own limit of its rate has an attempt wait: in adaptive mode, after throttles."""
        self._retries.emit("before-send", request=None)

    def delay_s(self, exchange: Exchange, attempt: int) -> float | None:
        """How long the SDK waits after ``attempt`` (from 1) before the next one; None: it returns what there is."""
        seen, operation = self._retries.seen(exchange), self._retries._operation
        if seen is None:
            return None
        response, caught = seen
        facts = {"operation": operation, "attempts": attempt, "request_dict": {"context": self._context}, "endpoint": None}
        try:
            delay = self._retries.emit("needs-retry", response=response, caught_exception=caught, **facts)
        except exceptions.BotoCoreError:  # legacy mode raises what it does not retry any more
            return None
        if delay is not None and delay is not False:
            return float(delay)
        if response is not None:
            answer, parsed = response
            self._retries.emit("after-call", http_response=answer, parsed=parsed, model=operation, context=self._context)
        return None


def _answer(exchange: Exchange) -> tuple[AWSResponse, dict[str, Any]]:
    """Status, headers and parsed error as botocore has them."""
    headers = HTTPHeaders()
    if exchange.retry_after is not None:
        headers["x-amz-retry-after"] = exchange.retry_after
    status = exchange.http_status or 0
    answer: Any = AWSResponse(_URL, status, headers, None)
    answer._content = b""  # it has been read
    parsed: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": status}}
    if status >= 300:
        parsed["Error"] = {"Code": exchange.error_code or str(status), "Message": ""}
    return answer, parsed
