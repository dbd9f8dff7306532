"""InvokeModelWithResponseStream: the model's own body, streamed in chunks."""

from __future__ import annotations

from base64 import b64decode

from fmbench.bedrock.answers import StreamAnswer, event_of, read_json
from fmbench.bedrock.apis.base import AnswerMaker, Api, through_boto3
from fmbench.bedrock.apis.invoke import guardrail_intervened, parameters, read_headers, read_metrics, read_piece
from fmbench.bedrock.families import family_of
from fmbench.bedrock.families.base import Family
from fmbench.bedrock.faults import BadResponse
from fmbench.bedrock.frames import FrameDecoder
from fmbench.bedrock.http1 import Head, Sink
from fmbench.bedrock.inline_reasoning import InlineReasoning
from fmbench.config.schema import Model
from fmbench.core.records import Exchange


class InvokeStreamAnswer(StreamAnswer):
    """Chunks of the model's own JSON into an ``Exchange``. The stop reason ends the answer."""

    def __init__(self, exchange: Exchange, keep_text: bool, family: Family) -> None:
        super().__init__(exchange, keep_text)
        self._decoder = FrameDecoder(self.frame)
        self._family = family
        self._inline = InlineReasoning()

    def body_sink(self, head: Head) -> Sink:
        read_headers(self.exchange, head)
        return super().body_sink(head)

    def frame(self, headers: bytes, payload: bytes, now_ns: int) -> None:
        """Take one checked frame. Raises ``BadResponse``, ``StreamFault``."""
        if event_of(headers, payload) != "chunk":
            return
        body = read_json(_chunk_bytes(read_json(payload).get("bytes")))
        piece = self._family.chunk(body)
        visible = self._inline.visible(piece.text)
        self.stamp(visible, bool(piece.reasoning) or piece.tool or (bool(piece.text) and not visible), now_ns)
        read_piece(self.exchange, piece)
        read_metrics(self.exchange, body)
        self.guarded = self.guarded or guardrail_intervened(body)
        self.stopped = self.stopped or piece.stop_reason is not None


def _chunk_bytes(encoded: object) -> bytes:
    if not isinstance(encoded, str):
        raise BadResponse("a chunk without bytes")
    try:
        return b64decode(encoded, validate=True)
    except ValueError as error:
        raise BadResponse(f"a chunk that is not base64: {error}") from None


def _answer(model: Model) -> AnswerMaker:
    family = family_of(model.id, model.family)
    return lambda exchange, keep_text: InvokeStreamAnswer(exchange, keep_text, family)


API = Api(serialise=through_boto3("InvokeModelWithResponseStream", parameters), answer=_answer)
