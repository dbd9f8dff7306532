"""ConverseStream: Bedrock's own shape, streamed. The API that latencies are measured on."""

from __future__ import annotations

from typing import Any

from fmbench.bedrock.answers import StreamAnswer, event_of, read_json
from fmbench.bedrock.apis.base import Api, through_boto3
from fmbench.bedrock.apis.converse import parameters
from fmbench.bedrock.faults import BadResponse
from fmbench.bedrock.foreign import word
from fmbench.bedrock.frames import FrameDecoder
from fmbench.core.records import Exchange

_TEXT_DELTA = b'"delta":{"text":"'


class ConverseStreamAnswer(StreamAnswer):
    """Frames of ConverseStream into an ``Exchange``.

    Deltas are parsed until the first text that is not blank, all of them when the text is kept; after that it is enough to see
    that a text delta is not empty: ``"delta":{"text":"`` cannot stand within a JSON string, where quotes are escaped.
    """

    def __init__(self, exchange: Exchange, keep_text: bool) -> None:
        super().__init__(exchange, keep_text)
        self._frames = self._decoder = FrameDecoder(self.frame)

    def frame(self, headers: bytes, payload: bytes, now_ns: int) -> None:
        """Take one checked frame. Raises ``BadResponse``, ``StreamFault``."""
        event = event_of(headers, payload)
        if event == "contentBlockDelta":
            self._delta(headers, payload, now_ns)
        elif event == "messageStop":
            self._stop(read_json(payload))
        elif event == "metadata":
            self.read_served(read_json(payload))

    def _delta(self, headers: bytes, payload: bytes, now_ns: int) -> None:
        if self.stopped:
            raise BadResponse("content after messageStop")
        self._read_delta(read_json(payload).get("delta"), now_ns)
        before, mark, _ = payload.partition(_TEXT_DELTA)
        if mark and self.exchange.visible and self.pieces is None:
            self._frames.expect(headers, before + mark, self.exchange.content_ns)

    def _read_delta(self, delta: Any, now_ns: int) -> None:
        if not isinstance(delta, dict):
            raise BadResponse("a contentBlockDelta without a delta")
        text = delta.get("text")
        self.stamp(text if isinstance(text, str) else "", _other_content(delta), now_ns)

    def _stop(self, body: dict[str, Any]) -> None:
        self.exchange.stop_reason = word(body.get("stopReason"), "stopReason")
        self.stopped = True
        self._frames.expect_nothing()


def _other_content(delta: dict[str, Any]) -> bool:
    """Whether a delta carries content that is not visible text: reasoning, a tool's input, an image."""
    for name, value in delta.items():
        if name == "reasoningContent" and isinstance(value, dict):
            if value.get("text") or value.get("redactedContent"):
                return True
        elif name in ("toolUse", "toolResult", "image") and value:
            return True
    return False


API = Api(serialise=through_boto3("ConverseStream", parameters), answer=lambda _model: ConverseStreamAnswer)
